# DE-NAS on a CPU: docker build -t denas --build-arg TORCH_INDEX=ADDRESS .
# ADDRESS is that of PyTorch's packages for CPUs, which PyTorch's installation page shows. Without it, pip takes the default build, which brings
# several gigabytes for CUDA.
FROM python:3.11-slim
ARG TORCH_INDEX=
WORKDIR /opt/denas
COPY . .
RUN if [ -n "$TORCH_INDEX" ]; then pip install --no-cache-dir --constraint constraints.txt --index-url "$TORCH_INDEX" torch; fi \
 && pip install --no-cache-dir --constraint constraints.txt '.[train]' plugins/denas_scores plugins/denas_cv plugins/denas_onnx
WORKDIR /work
ENTRYPOINT ["denas"]
CMD ["--help"]
