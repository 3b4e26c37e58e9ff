# Flower with the clients of Redis and PostgreSQL. Any Celery app can be mounted into /app, and every option is a variable:
#   docker run -p 5555:5555 -e CELERY_BROKER_URL=redis://redis:6379/0 flower
#   docker run -p 5555:5555 -v "$PWD:/app" flower celery -A proj flower
# It runs as nobody special and writes to /data and /tmp only, so it may be told to keep its hands off the rest:
#   docker run -p 5555:5555 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges flower
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
# What your app imports beside Celery, such as "sqlalchemy==2.* psycopg".
ARG EXTRA_PACKAGES=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/flower
WORKDIR /src
COPY setup.py pyproject.toml MANIFEST.in README.md LICENSE ./
COPY flower flower
RUN /opt/flower/bin/pip install ".[redis,postgres,oidc,passwords,otel]" ${EXTRA_PACKAGES}

FROM python:${PYTHON_VERSION}-slim
RUN groupadd --gid 1000 flower \
    && useradd --uid 1000 --gid flower --no-create-home --home-dir /data flower \
    && install --directory --owner=flower --group=flower /app /data
COPY --from=build /opt/flower /opt/flower
COPY examples/docker/healthcheck.py /opt/flower/healthcheck.py
ENV PATH="/opt/flower/bin:$PATH" \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FLOWER_PORT=5555 \
    FLOWER_DB=/data/flower
WORKDIR /app
# With FLOWER_PERSISTENT=true the history lives here.
VOLUME /data
USER 1000:1000
EXPOSE 5555
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["python", "/opt/flower/healthcheck.py"]
CMD ["celery", "flower"]
