# An entry point of the project, with the pins of conda.yaml; built from the root of the project.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}

COPY conda.yaml /tmp/
# psycopg: trials of sweeps in PostgreSQL
RUN sed -n 's/^ *- \([a-z-]*==.*\)/\1/p' /tmp/conda.yaml > /tmp/requirements.txt \
    && pip install --no-cache-dir --requirement /tmp/requirements.txt "psycopg[binary]==3.3.9"

RUN useradd --create-home --uid 1000 worker && install --directory --owner=worker /home/worker/state /home/worker/downloads
WORKDIR /project
COPY pyproject.toml conda.yaml README.md LICENSE ./
COPY anomaly_mlflow anomaly_mlflow
COPY entry_points entry_points
RUN pip install --no-cache-dir --no-deps --editable .
COPY docker/worker.sh /usr/local/bin/

ENV PYTHONUNBUFFERED=1 ANOMALY_STATE=/home/worker/state ANOMALY_DOWNLOADS=/home/worker/downloads
USER 1000
ENTRYPOINT ["worker.sh"]
CMD ["--help"]
