# ddblocal, DynamoDB's API from memory or from a folder, for development.
#
#	docker build -t ddblocal .
#	docker run --rm -p 127.0.0.1:8000:8000 ddblocal
#	docker run --rm -p 127.0.0.1:8000:8000 -v ddblocal:/data ddblocal -addr 0.0.0.0:8000 -public -data /data
#
# The image holds the program and nothing else: no shell, no libraries.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
# Without the workspace, as a user's build sees the module.
RUN CGO_ENABLED=0 GOWORK=off go build -trimpath -ldflags="-s -w" -o /out/ddblocal ./cmd/ddblocal && mkdir /out/data

FROM scratch
LABEL org.opencontainers.image.source="https://github.com/dynamotable/ddb" \
	org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ddblocal /ddblocal
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
EXPOSE 8000
# Inside of the container every address is the container's own; what is published, and to whom, is decided by docker run -p.
ENTRYPOINT ["/ddblocal"]
CMD ["-addr", "0.0.0.0:8000", "-public"]
