-- What a file of the first version has in it, as that version made it.
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	who TEXT NOT NULL, 
	address TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	target TEXT, 
	arguments TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	message TEXT NOT NULL, 
	seconds DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE queue_depths (
	seconds INTEGER NOT NULL, 
	queue TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	ready BIGINT, 
	unacked BIGINT, 
	consumers BIGINT, 
	PRIMARY KEY (seconds, queue, at)
)
 WITHOUT ROWID;
CREATE TABLE rollups (
	seconds INTEGER NOT NULL, 
	family TEXT NOT NULL, 
	start BIGINT NOT NULL, 
	source TEXT NOT NULL, 
	name TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	states TEXT NOT NULL, 
	runtime TEXT, 
	waiting TEXT, 
	minutes BLOB, 
	PRIMARY KEY (seconds, family, start, source, name, worker)
)
 WITHOUT ROWID;
CREATE TABLE tasks (
	id INTEGER NOT NULL, 
	uuid TEXT NOT NULL, 
	name TEXT COLLATE "NOCASE", 
	state TEXT COLLATE "NOCASE", 
	received DOUBLE, 
	sent DOUBLE, 
	started DOUBLE, 
	rejected DOUBLE, 
	succeeded DOUBLE, 
	failed DOUBLE, 
	retried DOUBLE, 
	revoked DOUBLE, 
	args TEXT, 
	kwargs TEXT, 
	eta TEXT, 
	expires TEXT, 
	retries BIGINT, 
	worker TEXT COLLATE "NOCASE", 
	result TEXT, 
	exception TEXT, 
	timestamp DOUBLE, 
	runtime DOUBLE, 
	traceback TEXT, 
	exchange TEXT, 
	routing_key TEXT, 
	clock BIGINT, 
	client TEXT, 
	root_id TEXT, 
	parent_id TEXT, 
	queue TEXT, 
	priority BIGINT, 
	custom DOUBLE, 
	custom_state TEXT, 
	extra TEXT, 
	attempts TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (uuid)
);
CREATE TABLE workers (
	hostname TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	PRIMARY KEY (hostname)
);
CREATE INDEX tasks_by_name ON tasks (name, received);
CREATE INDEX tasks_by_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_by_received ON tasks (received);
CREATE INDEX tasks_by_runtime ON tasks (runtime);
CREATE INDEX tasks_by_started ON tasks (started);
CREATE INDEX tasks_by_state ON tasks (state, received);
CREATE INDEX tasks_by_timestamp ON tasks (timestamp);
CREATE INDEX tasks_by_worker ON tasks (worker, received);
PRAGMA application_id = 1181511543;
PRAGMA user_version = 1;
