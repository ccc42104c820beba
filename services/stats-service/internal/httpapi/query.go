package httpapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
)

// Defaults and limits of the query.
const (
	defaultDays     = 90 // length of the period
	defaultAhead    = 30 // days from today to the forecast's date
	maxFilterValues = 50
	maxZoneName     = 64
)

// query is what a request for statistics asks.
type query struct {
	days     stats.Days
	filter   stats.Filter
	csv      bool
	forecast stats.ForecastInput // only Items, By and Seed
	seeded   bool
	key      string // says the same for all requests that ask the same
}

// parameters are the values of a query string by name.
type parameters map[string][]string

func parametersOf(c *fiber.Ctx) parameters {
	p := parameters{}
	c.Context().QueryArgs().VisitAll(func(name, value []byte) { p[string(name)] = append(p[string(name)], string(value)) })
	return p
}

// only refuses parameters that are not among names.
func (p parameters) only(names ...string) error {
	var fields []apperr.Field
	for name := range p {
		if !slices.Contains(names, name) {
			fields = append(fields, apperr.Field{Name: name, Message: "is not a parameter of this request"})
		}
	}
	if len(fields) > 0 {
		slices.SortFunc(fields, func(a, b apperr.Field) int { return strings.Compare(a.Name, b.Name) })
		return apperr.InvalidFields(fields...)
	}
	return nil
}

// one returns the value of a parameter that may be given once, or "".
func (p parameters) one(name string) (string, error) {
	values := p[name]
	if len(values) > 1 {
		return "", apperr.InvalidField(name, "may be given only once")
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

func (p parameters) date(name string, otherwise stats.Date) (stats.Date, error) {
	text, err := p.one(name)
	if err != nil || text == "" {
		return otherwise, err
	}
	d, err := stats.ParseDate(text)
	if err != nil {
		return "", apperr.InvalidField(name, "must be a date such as 2026-03-31")
	}
	return d, nil
}

func (p parameters) number(name string, lowest, highest int64) (n int64, given bool, err error) {
	text, err := p.one(name)
	if err != nil || text == "" {
		return 0, false, err
	}
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil || n < lowest || n > highest {
		return 0, false, apperr.InvalidField(name, "must be a whole number from %d to %d", lowest, highest)
	}
	return n, true, nil
}

// ids reads the values of a filter; "none" is uuid.Nil and "me", for people, the caller.
func (p parameters) ids(name string, me uuid.UUID) ([]uuid.UUID, error) {
	if len(p[name]) > maxFilterValues {
		return nil, apperr.InvalidField(name, "may be given %d times at most", maxFilterValues)
	}
	var ids []uuid.UUID
	for _, text := range p[name] {
		id := uuid.Nil
		switch {
		case text == "none":
		case text == "me" && me != uuid.Nil:
			id = me
		default:
			var err error
			if id, err = uuid.Parse(text); err != nil || id == uuid.Nil {
				return nil, apperr.InvalidField(name, "must be an id or none")
			}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	return ids, nil
}

// zone reads the viewer's time zone.
func (p parameters) zone() (*time.Location, error) {
	name, err := p.one("tz")
	if err != nil || name == "" {
		return time.UTC, err
	}
	if name == "Local" || len(name) > maxZoneName { // Local is this server's own, whatever that is
		return nil, apperr.InvalidField("tz", "must be a time zone such as Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, apperr.InvalidField("tz", "must be a time zone such as Europe/Berlin")
	}
	return zone, nil
}

// parseQuery reads the query of a statistic.
func parseQuery(p parameters, now time.Time, me uuid.UUID, forecasts bool) (query, error) {
	names := []string{"from", "to", "tz", "assignee", "priority", "label", "format"}
	if forecasts {
		names = append(names, "items", "by", "seed")
	}
	if err := p.only(names...); err != nil {
		return query{}, err
	}
	var q query
	zone, err := p.zone()
	if err != nil {
		return q, err
	}
	today := stats.DateOf(now, zone)
	to, err := p.date("to", today)
	if err != nil {
		return q, err
	}
	to = min(to, today) // there are no statistics of the future
	from, err := p.date("from", to.Add(1-defaultDays))
	if err != nil {
		return q, err
	}
	if from > today {
		return q, apperr.InvalidField("from", "must not be after today (%s)", today)
	}
	if q.days, err = stats.NewDays(from, to, zone); err != nil {
		return q, err
	}
	if err := q.parseFilter(p, me); err != nil {
		return q, err
	}
	if forecasts {
		if err := q.parseForecast(p, today); err != nil {
			return q, err
		}
	}
	switch format, err := p.one("format"); {
	case err != nil:
		return q, err
	case format == "csv":
		q.csv = true
	case format != "" && format != "json":
		return q, apperr.InvalidField("format", "must be json or csv")
	}
	q.key = fmt.Sprint(from, to, zone, q.filter, q.csv, today)
	if forecasts {
		items := -1
		if q.forecast.Items != nil {
			items = *q.forecast.Items
		}
		q.key += fmt.Sprint(" ", items, q.forecast.By, q.forecast.Seed, q.seeded)
	}
	return q, nil
}

func (q *query) parseFilter(p parameters, me uuid.UUID) (err error) {
	if q.filter.Assignees, err = p.ids("assignee", me); err != nil {
		return err
	}
	if q.filter.Labels, err = p.ids("label", uuid.Nil); err != nil {
		return err
	}
	for _, text := range p["priority"] {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 4 {
			return apperr.InvalidField("priority", "must be a number from 0 to 4")
		}
		if !slices.Contains(q.filter.Priorities, n) {
			q.filter.Priorities = append(q.filter.Priorities, n)
		}
	}
	slices.Sort(q.filter.Priorities)
	return nil
}

func (q *query) parseForecast(p parameters, today stats.Date) error {
	items, given, err := p.number("items", 0, stats.MaxForecast)
	if err != nil {
		return err
	}
	if given {
		n := int(items)
		q.forecast.Items = &n
	}
	if q.forecast.By, err = p.date("by", today.Add(defaultAhead)); err != nil {
		return err
	}
	if ahead := q.forecast.By.Sub(today); ahead < 1 || ahead > stats.ForecastHorizon {
		return apperr.InvalidField("by", "must be from 1 to %d days after today (%s)", stats.ForecastHorizon, today)
	}
	q.forecast.Seed, q.seeded, err = p.number("seed", 0, stats.MaxSeed)
	return err
}
