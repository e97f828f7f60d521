# Two images: `pipeline` (agent, consumer, load generator: no Jupyter, no pandas) and `lab` (JupyterLab with the notebooks).
# Both run as a user without rights, write nothing outside /tmp and their volumes, and hold no secret.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS base
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin sentinel
ENV PATH=/opt/sentinel/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM base AS pipeline-build
RUN python -m venv --without-pip /opt/sentinel
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
# Dependencies first, in a layer that stands while only the code changes.
RUN mkdir sentinel && touch sentinel/__init__.py && \
    pip --python /opt/sentinel/bin/python install --no-cache-dir -c constraints.txt .
COPY sentinel sentinel
RUN rm -r sentinel/lab && pip --python /opt/sentinel/bin/python install --no-cache-dir --no-deps --force-reinstall .

FROM base AS pipeline
COPY --from=pipeline-build /opt/sentinel /opt/sentinel
USER 10001:10001
ENTRYPOINT ["sentinel"]

FROM base AS lab-build
RUN python -m venv --without-pip /opt/sentinel
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir sentinel && touch sentinel/__init__.py && \
    pip --python /opt/sentinel/bin/python install --no-cache-dir -c constraints.txt '.[lab]'
COPY sentinel sentinel
RUN pip --python /opt/sentinel/bin/python install --no-cache-dir --no-deps --force-reinstall .

FROM base AS lab
COPY --from=lab-build /opt/sentinel /opt/sentinel
# A new volume on /lab begins as a copy of this folder, owner included.
COPY --chown=10001:10001 pyproject.toml constraints.txt README.md /lab/
COPY --chown=10001:10001 notebooks /lab/notebooks
RUN mkdir /lab/runs /lab/profiles && chown 10001:10001 /lab /lab/runs /lab/profiles
WORKDIR /lab
USER 10001:10001
ENTRYPOINT ["python", "-m", "sentinel.lab.notebook.jupyterlab", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
