# The MLflow server, and the tools for its backup; built from the root of the project.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}

# Debian keeps one version of a package only: a pin would end the build at its next update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 server

ARG MLFLOW_VERSION
COPY docker/server-requirements.txt /tmp/
RUN pip install --no-cache-dir --constraint /tmp/server-requirements.txt \
    "mlflow[auth]==${MLFLOW_VERSION}" "psycopg[binary]" boto3 tqdm

COPY docker/*.sh docker/*.py docker/basic_auth.ini docker/settings.env /service/
ENV PATH=/service:$PATH PYTHONUNBUFFERED=1
USER 1000
WORKDIR /home/server
ENTRYPOINT ["server.sh"]
