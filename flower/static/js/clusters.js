// The page of all clusters has no event stream, as that belongs to one of them: it looks every five seconds while it
// is seen.
const PERIOD = 5000;

function look() {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("flower:clusters"));
}

setInterval(look, PERIOD);
document.addEventListener("visibilitychange", look);
