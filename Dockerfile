# One image for every process: server, worker and beat differ by their command (compose.yaml).

FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements-setup.lock requirements-dev.lock pyproject.toml README.md LICENSE ./
# The tools that build: uv, and what makes the wheel. Nothing of this stage is shipped but /opt/medici.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-setup.lock \
    && /opt/build/bin/uv pip install --no-cache --python /opt/build/bin/python \
        --constraints requirements-dev.lock hatchling
# What Medici runs with, without what its tests need. As constraints the locked versions count, and
# their hashes are verified.
RUN python -m venv --without-pip /opt/medici \
    && /opt/build/bin/uv pip install --no-cache --python /opt/medici/bin/python --compile-bytecode \
        --constraints requirements-dev.lock --requirements pyproject.toml --extra sentry
# The code comes last, so that a change to it leaves the layers above as they are.
COPY src ./src
RUN /opt/build/bin/uv build --wheel --no-build-isolation --python /opt/build/bin/python \
        --out-dir /src/dist \
    && /opt/build/bin/uv pip install --no-cache --python /opt/medici/bin/python --compile-bytecode \
        --no-deps /src/dist/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home medici \
    && install --directory --owner medici --group medici /data
COPY --from=build /opt/medici /opt/medici
ENV PATH=/opt/medici/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MEDICI_DATA_DIR=/data \
    DATABASE_URL=sqlite:////data/app.db
USER medici
WORKDIR /home/medici
VOLUME /data
EXPOSE 8000
# Ready means that the database answers and nobody has asked the process to stop.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["medici", "serve", "--host", "0.0.0.0", "--port", "8000"]
