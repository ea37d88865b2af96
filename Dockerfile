# The environment of requirements.txt with the package in it: snakemake, vocoder-pareto, and what a study needs.
# PyTorch brings CUDA's libraries itself; a GPU takes only the driver of the host: docker run --gpus all.
# docs/container.md tells how it is built and used.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

# `--build-arg PIP_EXTRA_INDEX_URL=…` names another index of packages, such as that of PyTorch without CUDA.
ARG PIP_EXTRA_INDEX_URL

# git fetches workflows that are named by their repository.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --requirement /tmp/requirements.txt \
    && python -c "import librosa.core.audio" # compiled once here
RUN --mount=type=bind,target=/source,rw \
    pip install --no-cache-dir --no-deps --no-build-isolation /source

# Whoever runs it (docker run --user) can write a home, which holds caches.
RUN useradd --uid 1000 --create-home study && chmod 0777 /home/study
ENV HOME=/home/study LOGNAME=study \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
WORKDIR /study
ENTRYPOINT ["snakemake"]
