package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// answer is one statistic: how it is computed, and its main table for CSV.
type answer struct {
	name     string
	forecast bool          // has the parameters of a forecast
	ageing   time.Duration // how long it may be remembered although time passes; zero: until tomorrow
	compute  func(ctx context.Context, src stats.Source, in stats.Input, q query) (any, error)
	table    func(result any, states map[string]string) [][]string
}

// compute adapts a computation of the domain.
func compute[T any](fn func(context.Context, stats.Source, stats.Input) (T, error)) func(context.Context, stats.Source, stats.Input, query) (any, error) {
	return func(ctx context.Context, src stats.Source, in stats.Input, _ query) (any, error) {
		return fn(ctx, src, in)
	}
}

var (
	summary    = answer{name: "summary", compute: compute(stats.ComputeSummary), table: table(summaryTable)}
	throughput = answer{name: "throughput", compute: compute(stats.ComputeThroughput), table: table(throughputTable)}
	times      = answer{name: "times", compute: compute(stats.ComputeTimes), table: table(timesTable)}
	flow       = answer{name: "flow", compute: compute(stats.ComputeFlow), table: table(flowTable)}
	ageing     = answer{name: "ageing", ageing: time.Minute, compute: compute(stats.ComputeAgeing), table: table(ageingTable)}
	burnup     = answer{name: "burnup", compute: compute(stats.ComputeBurnup), table: table(burnupTable)}
	overdue    = answer{name: "overdue", compute: compute(stats.ComputeOverdue), table: table(overdueTable)}
	forecast   = answer{name: "forecast", forecast: true, table: table(forecastTable), compute: func(ctx context.Context, src stats.Source, in stats.Input, q query) (any, error) {
		ask := q.forecast
		ask.Input = in
		return stats.ComputeForecast(ctx, src, ask)
	}}
)

// asOf says what an answer counts.
type asOf struct {
	Pos        int64      `json:"pos"`
	Time       time.Time  `json:"time"`
	Generation int64      `json:"generation"`
	StaleSince *time.Time `json:"staleSince,omitempty"`
}

type period struct {
	From stats.Date `json:"from"`
	To   stats.Date `json:"to"`
	TZ   string     `json:"tz"`
	Days int        `json:"days"`
}

// envelope is what all answers have in common.
type envelope struct {
	Project string `json:"project"`
	AsOf    asOf   `json:"asOf"`
	Period  period `json:"period"`
}

// answer returns the handler of a statistic.
func (s *server) answer(a answer) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ref, caller, err := s.project(c)
		if err != nil {
			return err
		}
		now := s.Now().UTC()
		q, err := parseQuery(parametersOf(c), now, caller.Person, a.forecast)
		if err != nil {
			return err
		}
		if a.forecast && !q.seeded {
			q.forecast.Seed = seedOf(ref)
		}
		var body []byte
		var head envelope
		var tag string
		err = s.Reader.View(c.UserContext(), ref.ID, func(v stats.View) error {
			head = s.envelope(ref, q, v, now)
			key := memoKey(a, ref, q, v, now)
			tag = etag(key, head.AsOf.StaleSince)
			if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
				return nil
			}
			body, err = s.memo.get(key, func() ([]byte, error) { return s.render(c.UserContext(), a, ref, q, v, now) })
			return err
		})
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderETag, tag)
		c.Set(fiber.HeaderCacheControl, "private, no-cache")
		if body == nil {
			return c.SendStatus(fiber.StatusNotModified)
		}
		if q.csv {
			c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
			c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s-%s.csv"`, ref.Key, a.name))
			return c.Send(body)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return sendMerged(c, head, body)
	}
}

// sendMerged sends two JSON objects as one.
func sendMerged(c *fiber.Ctx, head envelope, rest []byte) error {
	first, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.Send(bytes.Join([][]byte{first[:len(first)-1], rest[1:]}, []byte{','}))
}

func (s *server) envelope(ref stats.ProjectRef, q query, v stats.View, now time.Time) envelope {
	head := envelope{
		Project: ref.Key,
		AsOf:    asOf{Pos: v.Cursor.Pos, Time: now, Generation: v.Cursor.Generation, StaleSince: stale(v.Pending, now, s.Config.StaleAfter)},
		Period:  period{From: q.days.From(), To: q.days.To(), TZ: q.days.Zone().String(), Days: q.days.Len()},
	}
	if head.AsOf.StaleSince != nil {
		head.AsOf.Time = *head.AsOf.StaleSince
	}
	return head
}

// stale returns since when events wait, or nil while they have not waited long.
func stale(pending *time.Time, now time.Time, after time.Duration) *time.Time {
	if pending == nil || now.Sub(*pending) < after {
		return nil
	}
	return pending
}

// seedOf is the seed of forecasts that name none: the same for a project each time, so that only new data moves them.
func seedOf(ref stats.ProjectRef) int64 {
	h := fnv.New64a()
	h.Write(ref.ID[:])
	return int64(h.Sum64() & uint64(stats.MaxSeed)) // 53 bits: what JSON numbers hold exactly
}

// memoKey names everything an answer depends on but for what the envelope says.
func memoKey(a answer, ref stats.ProjectRef, q query, v stats.View, now time.Time) string {
	key := fmt.Sprint(a.name, " ", ref.ID, " ", v.Cursor.Generation, v.Revision, " ", q.key, " ", q.forecast.Seed)
	if a.ageing > 0 {
		key += " " + now.Truncate(a.ageing).String()
	}
	return key
}

// etag is weak: two answers with the same tag mean the same, though asOf may name another position.
func etag(key string, staleSince *time.Time) string {
	if staleSince != nil {
		key += " stale " + staleSince.String()
	}
	sum := sha256.Sum256([]byte(key))
	const length = 16 // of 32 bytes: enough to tell answers apart
	return `W/"` + hex.EncodeToString(sum[:length]) + `"`
}

// matches reports whether If-None-Match names the tag (weak comparison, RFC 9110 §13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || candidate != "" && strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// render computes an answer and encodes it, without its envelope.
func (s *server) render(ctx context.Context, a answer, ref stats.ProjectRef, q query, v stats.View, now time.Time) ([]byte, error) {
	result, err := a.compute(ctx, v.Source, stats.Input{Key: ref.Key, Now: now, Days: q.days, Filter: q.filter}, q)
	if err != nil {
		return nil, err
	}
	if !q.csv {
		body, err := json.Marshal(result)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", a.name, err)
		}
		return body, nil
	}
	states, err := v.States(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(states))
	for _, state := range states {
		names[state.ID.String()] = state.Name
	}
	return writeCSV(a.table(result, names))
}
