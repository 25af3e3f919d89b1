# The yolov2 command, with everything that exports:
#     docker build -t yolov2 .
#     docker run --rm -v "$PWD:/work" yolov2 predict starter street.jpg --out drawn
FROM python:3.11-slim

# Versions are those that are tested.
COPY requirements.txt /tmp/requirements.txt
COPY pyproject.toml README.md LICENSE MANIFEST.in /src/
COPY yolov2_tf /src/yolov2_tf
COPY export /src/export
COPY web_demo /src/web_demo
RUN pip install --no-cache-dir --constraint /tmp/requirements.txt "/src[export]" \
        opencv-python-headless \
    && rm -rf /src

# Not as root, and with a place for what is downloaded and remembered.
RUN useradd --create-home yolov2
USER yolov2
ENV YOLOV2_CACHE=/home/yolov2/.cache/yolov2_tf
WORKDIR /work
ENTRYPOINT ["yolov2"]
CMD ["--help"]
