package httpapi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/oapi-codegen/nullable"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
)

// Operations tells how the instances of both services are.
type Operations interface {
	// Self is this instance.
	Self() opstatus.Status
	// Collect asks all instances, which takes about half a second. Without NATS it fails with opstatus.ErrAway.
	Collect(ctx context.Context) ([]opstatus.Status, error)
}

// GetOperations answers with how every instance is.
func (s *server) GetOperations(c *fiber.Ctx) error {
	ctx, err := s.operate(c)
	if err != nil {
		return err
	}
	if s.Operations == nil {
		return apperr.New(apperr.Unavailable, "This instance cannot ask the others.")
	}
	statuses, err := s.Operations.Collect(ctx)
	away := errors.Is(err, opstatus.ErrAway)
	if err != nil && !away {
		return err
	}
	out := wire.Operations{At: timeText(time.Now()), NatsAway: away}
	statuses = withSelf(statuses, s.Operations.Self())
	for i := range statuses {
		out.Instances = append(out.Instances, instanceJSON(&statuses[i]))
	}
	routes := opstatus.Summarize(statuses)
	out.Routes = make([]wire.RouteStatus, len(routes))
	for i, r := range routes {
		out.Routes[i] = wire.RouteStatus{
			Service: r.Service, Route: r.Route, Count: int64(r.Count), Errors: int64(r.Errors), P50Ms: r.P50Ms, P95Ms: r.P95Ms, P99Ms: r.P99Ms,
		}
	}
	return c.JSON(out)
}

// withSelf returns statuses with this instance among them in its place, even if it did not answer itself.
func withSelf(statuses []opstatus.Status, self opstatus.Status) []opstatus.Status {
	at := len(statuses)
	for i, s := range statuses {
		if s.Service == self.Service && s.Instance == self.Instance {
			return statuses
		}
		if at > i && (s.Service > self.Service || s.Service == self.Service && s.Instance > self.Instance) {
			at = i
		}
	}
	return slices.Insert(statuses, at, self)
}

func instanceJSON(s *opstatus.Status) wire.InstanceStatus {
	out := wire.InstanceStatus{
		Service: s.Service, Instance: s.Instance, Version: s.Version, StartedAt: timeText(s.StartedAt), Ready: s.Ready,
		Nats: wire.InstanceStatusNats(s.NATS), Pools: make([]wire.PoolStatus, len(s.Pools)),
		Relay: nullable.NewNullNullable[wire.RelayStatus](), Consumer: nullable.NewNullNullable[wire.ConsumerStatus](),
		Live: nullable.NewNullNullable[wire.LiveStatus](), Goroutines: s.Goroutines, HeapBytes: int64(s.HeapBytes),
	}
	if !out.Nats.Valid() { // an instance of another version
		out.Nats = wire.Connected
	}
	for i, p := range s.Pools {
		out.Pools[i] = wire.PoolStatus{
			Name: p.Name, Engine: p.Engine, Max: p.Max, InUse: p.InUse, Idle: p.Idle, WaitCount: p.WaitCount, WaitMs: p.WaitMs,
		}
	}
	if r := s.Relay; r != nil {
		out.Relay.Set(wire.RelayStatus{
			Leader: r.Leader, Unpositioned: optionalNumber(r.Unpositioned), OldestAgeSeconds: optionalNumber(r.OldestAgeSeconds),
			Given: optionalNumber(r.Given), Published: optionalNumber(r.Published), Takeovers: r.Takeovers,
		})
	}
	if l := s.Live; l != nil {
		out.Live.Set(wire.LiveStatus{Subscribers: l.Subscribers, Stale: l.Stale})
	}
	if s.Consumer != nil {
		out.Consumer.Set(consumerJSON(s.Consumer))
	}
	return out
}

func consumerJSON(s *opstatus.Consumer) wire.ConsumerStatus {
	out := wire.ConsumerStatus{
		Leader: s.Leader, Cursor: s.Cursor, Lag: s.Lag, LagSeconds: s.LagSeconds, Parked: s.Parked,
		Source: wire.ConsumerStatusSource(s.Source), LastVerify: nullable.NewNullNullable[wire.VerifyStatus](),
	}
	if !out.Source.Valid() {
		out.Source = wire.Stream
	}
	if v := s.LastVerify; v != nil {
		out.LastVerify.Set(wire.VerifyStatus{At: timeText(v.At), Equal: v.Equal, Differences: v.Differences})
	}
	return out
}
