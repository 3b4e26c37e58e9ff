"""Packaging of flower; the settings of every tool are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version() -> str:
    """Return `__version__` of the package without importing it: its dependencies may not be installed yet."""
    found = re.search(r'^__version__.*= "(.+)"$', (ROOT / "flower" / "__init__.py").read_text(), re.MULTILINE)
    if not found:
        raise ValueError("flower/__init__.py must set __version__")
    return found[1]


# Which redis client fits, and what else it needs, is kombu's to say. Events come in base64: Python's own takes four
# times as long, which is a tenth of the time of receiving an event.
REDIS = ["kombu[redis]", "hiredis>=2", "pybase64>=1.4"]
# With its own libpq: nothing has to be compiled or installed besides.
POSTGRES = ["psycopg[binary]>=3.1.8"]
# Only a login through OpenID Connect checks signatures; the other providers need no library.
OIDC = ["PyJWT[crypto]>=2.10"]
# For users whose passwords htpasswd or argon2 hashed; scrypt needs none.
PASSWORDS = ["argon2-cffi>=23.1", "bcrypt>=4.0"]
# The metrics for a collector of OpenTelemetry.
OTEL = ["opentelemetry-sdk>=1.30", "opentelemetry-exporter-otlp-proto-http>=1.30"]
TEST = [
    *OTEL,
    *OIDC,
    *PASSWORDS,
    *REDIS,
    *POSTGRES,
    "build>=1",
    "Django>=4.2",
    "hypothesis>=6.100",
    "jsonschema>=4.20",
    "openapi-spec-validator>=0.7",
    # For make screenshots, and its test: a third of the space.
    "pillow>=10",
    "playwright>=1.40",
    "pytest>=8",
    "pytest-asyncio>=1.0",
    "pytest-rerunfailures>=15",
    "protobuf>=5",
    "PyYAML>=6",
    "requests>=2.31",
    "schemathesis>=4.1",
]
CHECK = [
    "codespell>=2.3",
    "mypy>=1.15",
    # The formatter's style changes between minor versions.
    "ruff>=0.17.5,<0.18",
    "types-pytz",
    "types-requests",
    "types-setuptools",
]

setup(
    name="flower",
    version=version(),
    description="Watch and command Celery clusters",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The Flower developers",
    license="BSD-3-Clause",
    packages=find_packages(include=["flower", "flower.*"]),
    include_package_data=True,
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=[
        "alembic>=1.13",
        "celery>=5.2",
        "humanize>=4",
        "kombu>=5.2",
        "orjson>=3.9",
        "prometheus_client>=0.20",
        "pytz",
        "SQLAlchemy>=2.0.30",
        "tornado>=6.5,<7",
    ],
    extras_require={
        "oidc": OIDC,
        "otel": OTEL,
        "passwords": PASSWORDS,
        "redis": REDIS,
        "postgres": POSTGRES,
        "test": TEST,
        "dev": [*TEST, *CHECK],
    },
    entry_points={"celery.commands": ["flower = flower.command:flower"]},
    classifiers=[
        "Environment :: Web Environment",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: System :: Distributed Computing",
        "Topic :: System :: Monitoring",
        "Typing :: Typed",
    ],
)
