# One image for every process of the Procfile. To pin it to the byte, build with
# --build-arg PYTHON=3.13-slim-bookworm@sha256:…
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
RUN python -m venv /venv
COPY requirements-server.txt ./
RUN /venv/bin/pip install --require-hashes --no-deps --requirement requirements-server.txt \
 && /venv/bin/pip uninstall --quiet --yes pip
COPY config config
COPY jointoit jointoit
# Reading the settings wants values that nothing here uses; none of them stays in the image.
RUN key=$(/venv/bin/python -c "import secrets; print(secrets.token_hex(32))") \
 && SECRET_KEY=$key JWT_SIGNING_KEY=$key TICKET_KEYS=$key \
    ALLOWED_HOSTS=build PUBLIC_URL=http://build DATABASE_URL=postgresql://build REDIS_URL=redis://build \
    EMAIL_HOST=build DEFAULT_FROM_EMAIL=build@build.example \
    /venv/bin/python -m jointoit collectstatic --no-input --verbosity 0 \
 && find staticfiles -name '*.map*' -delete \
 && /venv/bin/python -m compileall -q config jointoit

FROM python:${PYTHON}
RUN groupadd --gid 10001 jointoit \
 && useradd --uid 10001 --gid jointoit --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin jointoit
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# Nothing is written at run time but /tmp, so the file system may be read-only.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000 HEARTBEAT=/tmp/alive
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "jointoit", "serve"]
