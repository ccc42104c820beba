module github.com/tallyboard/tallyboard/services/tallyboard

go 1.26.0

replace github.com/tallyboard/tallyboard/proto => ../../proto

require (
	github.com/caarlos0/env/v11 v11.4.0
	github.com/getkin/kin-openapi v0.153.0
	github.com/go-sql-driver/mysql v1.10.1
	github.com/gofiber/fiber/v2 v2.52.15
	github.com/google/uuid v1.6.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
	github.com/oapi-codegen/nullable v1.1.0
	github.com/oapi-codegen/runtime v1.8.0
	github.com/prometheus/client_golang v1.25.0
	github.com/tallyboard/tallyboard/proto v0.0.0-00010101000000-000000000000
	github.com/tallyboard/tallyboard/services/internal/access v0.0.0-00010101000000-000000000000
	github.com/tallyboard/tallyboard/services/internal/kit v0.0.0-00010101000000-000000000000
	github.com/tallyboard/tallyboard/services/stats-service v0.0.0-00010101000000-000000000000
	github.com/tallyboard/tallyboard/services/task-service v0.0.0-00010101000000-000000000000
	github.com/tallyboard/tallyboard/services/web v0.0.0-00010101000000-000000000000
	github.com/valyala/fasthttp v1.51.0
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/metric v1.47.0
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.24.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
)

require (
	github.com/gofrs/flock v0.13.2 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/tallyboard/tallyboard/services/internal/kit => ../internal/kit

replace github.com/tallyboard/tallyboard/services/internal/access => ../internal/access

replace github.com/tallyboard/tallyboard/services/web => ../web

replace github.com/tallyboard/tallyboard/services/task-service => ../task-service

replace github.com/tallyboard/tallyboard/services/stats-service => ../stats-service
