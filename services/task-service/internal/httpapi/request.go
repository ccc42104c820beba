package httpapi

import (
	"context"
	"crypto/sha256"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/task-service/internal/project"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// sessionCookie carries the session of a browser.
const sessionCookie = "__Host-tallyboard"

// headerReplayed marks the answer to a repeated write.
const headerReplayed = "Idempotency-Replayed"

// identify puts the caller into the request's context.
func (s *server) identify(c *fiber.Ctx) error {
	bearer, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	caller, err := s.Guard.Identify(c.UserContext(), access.Credentials{SessionCookie: c.Cookies(sessionCookie), Bearer: bearer})
	if err != nil {
		return err
	}
	c.SetUserContext(access.WithCaller(c.UserContext(), caller))
	return c.Next()
}

func caller(ctx context.Context) access.Caller {
	who, _ := access.CallerFrom(ctx) // the zero caller is refused by every check
	return who
}

// keyPattern is what the key of a project looks like, ignoring case.
var keyPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{1,9}$`)

// allow asks whether the caller may do something that concerns no project.
func (s *server) allow(ctx context.Context, action access.Action) error {
	return s.Guard.Check(ctx, caller(ctx), action, uuid.Nil)
}

// project returns a project the caller may do the action in. It may be a second old: it is for its id and key.
func (s *server) project(ctx context.Context, key string, action access.Action) (*project.Project, error) {
	if !keyPattern.MatchString(key) { // not worth a question to the database, which could not even be asked for some
		return nil, apperr.New(apperr.NotFound, "There is no such project.")
	}
	p, err := s.Projects.Recent(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := s.Guard.Check(ctx, caller(ctx), action, p.ID); err != nil {
		return p, err
	}
	tagProject(ctx, p.Key)
	return p, nil
}

// task returns a task whose project the caller may do the action in.
func (s *server) task(ctx context.Context, text string, action access.Action) (*task.Task, error) {
	ref, err := task.ParseRef(text)
	if err != nil {
		return nil, err
	}
	t, err := s.Tasks.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := s.Guard.Check(ctx, caller(ctx), action, t.ProjectID); err != nil {
		return t, err
	}
	tagTask(ctx, t)
	return t, nil
}

// taskRef returns a reference to the task a request is about, whose project the caller may do the action in. A reference
// by key is checked without reading the task.
func (s *server) taskRef(ctx context.Context, text string, action access.Action) (task.Ref, error) {
	ref, key, err := s.otherTaskRef(ctx, text, action)
	if err == nil {
		tagKey(ctx, key)
	}
	return ref, err
}

// otherTaskRef is taskRef for a task that a request names beside the one it is about; key is how people name it.
func (s *server) otherTaskRef(ctx context.Context, text string, action access.Action) (ref task.Ref, key string, err error) {
	ref, err = task.ParseRef(text)
	if err != nil {
		return task.Ref{}, "", err
	}
	if ref.Key != "" {
		_, err = s.project(ctx, ref.Key, action)
		return ref, ref.String(), err
	}
	t, err := s.Tasks.Get(ctx, ref)
	if err != nil {
		return task.Ref{}, "", err
	}
	if err := s.Guard.Check(ctx, caller(ctx), action, t.ProjectID); err != nil {
		return ref, "", err
	}
	tagProject(ctx, t.ProjectKey)
	return ref, t.Key(), nil
}

// write returns who writes, under which idempotency key, and against which version, if the request names one.
func write(c *fiber.Ctx) (task.Write, error) {
	key, err := fiberx.IdempotencyKey(c)
	if err != nil {
		return task.Write{}, err
	}
	version, _, err := fiberx.IfMatch(c)
	if err != nil {
		return task.Write{}, err
	}
	w := task.Write{Actor: caller(c.UserContext()).Person, Key: key, IfVersion: version}
	if key != "" {
		w.RequestHash = requestHash(c)
	}
	return w, nil
}

// writeVersioned is write for resources that demand If-Match.
func writeVersioned(c *fiber.Ctx) (task.Write, error) {
	if c.Get(fiber.HeaderIfMatch) == "" {
		return task.Write{}, apperr.New(apperr.PreconditionRequired,
			`Say which version you have seen: If-Match with the ETag of the resource, or * for whatever it is.`)
	}
	return write(c)
}

// requestHash identifies a request for its idempotency key: method, path with query, and body.
func requestHash(c *fiber.Ctx) [32]byte {
	h := sha256.New()
	h.Write([]byte(c.Method()))
	h.Write([]byte{0})
	h.Write(c.Request().RequestURI())
	h.Write([]byte{0})
	h.Write(c.Request().Body())
	return [32]byte(h.Sum(nil))
}

func markReplayed(c *fiber.Ctx, replayed bool) {
	if replayed {
		c.Set(headerReplayed, "true")
	}
}

// matchesNone reports whether the caller has the version already (If-None-Match, weak comparison) and answers 304 then.
func matchesNone(c *fiber.Ctx, version int64) bool {
	header := c.Get(fiber.HeaderIfNoneMatch)
	if header == "" {
		return false
	}
	fiberx.SetETag(c, version)
	if !noneMatch(header, string(c.Response().Header.Peek(fiber.HeaderETag))) {
		return false
	}
	c.Status(fiber.StatusNotModified)
	return true
}

// noneMatch reports whether an If-None-Match header lists the tag.
func noneMatch(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// zones keeps time zones by name, because loading one reads a file. Only names that exist get in, so it is bounded.
var zones sync.Map // string → *time.Location

// viewer says as whom and in which time zone a request looks at tasks.
func viewer(ctx context.Context, tz *string) (task.Viewer, error) {
	v := task.Viewer{Person: caller(ctx).Person, Zone: time.UTC}
	if tz == nil || *tz == "UTC" {
		return v, nil
	}
	if known, ok := zones.Load(*tz); ok {
		v.Zone, _ = known.(*time.Location)
		return v, nil
	}
	zone, err := time.LoadLocation(*tz)
	if err != nil || *tz == "" || *tz == "Local" {
		return v, apperr.InvalidField("tz", "is not the name of a time zone, such as Europe/Berlin")
	}
	zones.Store(zone.String(), zone)
	v.Zone = zone
	return v, nil
}

// pathID reads an id from the path.
func pathID(name, text string) (uuid.UUID, error) {
	id, ok := parseID(text)
	if !ok {
		return uuid.Nil, apperr.InvalidField(name, "must be a UUID")
	}
	return id, nil
}

// parseID accepts the canonical form of a UUID only: 36 characters.
func parseID(text string) (uuid.UUID, bool) {
	if len(text) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}
