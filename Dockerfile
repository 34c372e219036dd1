# The pages are built with Node, the service runs on Python alone.
FROM node:20-slim AS pages
WORKDIR /build
COPY labeling_ui/package.json labeling_ui/package-lock.json labeling_ui/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY labeling_ui/ ./
RUN npm run build

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
# torch first and alone; PIP_EXTRA_INDEX_URL may name an index with its CPU build.
ARG PIP_EXTRA_INDEX_URL
RUN pip install torch==2.13.0
COPY requirements.lock ./
RUN pip install --no-deps -r requirements.lock hatchling==1.33.0 pathspec pluggy trove-classifiers packaging
COPY pyproject.toml README.md LICENSE ./
COPY learner/ learner/
COPY service/ service/
COPY migrations/ migrations/
COPY labeling_ui/__init__.py labeling_ui/
COPY --from=pages /build/dist/ labeling_ui/dist/
RUN pip install --no-deps --no-build-isolation . \
    && useradd --create-home --uid 1000 engram \
    && mkdir /data && chown engram /data
USER engram
ENV ENGRAM_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import httpx, sys; sys.exit(httpx.get('http://127.0.0.1:8000/readyz').status_code != 200)"]
CMD ["engram", "serve", "--host", "0.0.0.0", "--port", "8000"]
