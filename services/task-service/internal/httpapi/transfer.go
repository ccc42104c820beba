package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

const (
	mimeCSV    = "text/csv"
	mimeNDJSON = "application/x-ndjson"
)

// ImportTasks reads an uploaded file into a project. The upload goes to a temporary file first: memory stays bounded, a
// slow client holds no transaction, and the answer can be a stream of progress, which fasthttp begins only after the
// request was read.
func (s *server) ImportTasks(c *fiber.Ctx, key wire.Key, params wire.ImportTasksParams) error {
	p, err := s.project(c.UserContext(), key, access.ManageProject)
	if err != nil {
		return err
	}
	options, err := s.importOptions(c, params)
	if err != nil {
		return err
	}
	release, err := s.importSlot()
	if err != nil {
		return err
	}
	ctx, cancel := longContext(c, s.Config.ImportTimeout)
	end := func() { cancel(); release() }
	file, err := s.spool(ctx, c)
	if err != nil {
		end()
		return err
	}
	who := caller(ctx).Person
	run := func(ctx context.Context, progress func(importer.Progress)) (importer.Report, error) {
		defer end()
		defer discard(file)
		options.Progress = progress
		return s.Importer.Import(ctx, task.Write{Actor: who}, p.Key, bufio.NewReader(file), options)
	}
	if strings.Contains(c.Get(fiber.HeaderAccept), mimeNDJSON) {
		return s.streamImport(ctx, c, run)
	}
	report, err := run(ctx, nil)
	if err != nil {
		return err
	}
	return c.JSON(complete(report))
}

func (s *server) importOptions(c *fiber.Ctx, params wire.ImportTasksParams) (importer.Options, error) {
	want := mimeCSV
	if params.Format == wire.ImportTasksParamsFormatTallyboard {
		want = fiber.MIMEApplicationJSON
	}
	if got, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || got != want {
		return importer.Options{}, apperr.New(apperr.UnsupportedMedia, "The format %s is sent with Content-Type: %s.", params.Format, want)
	}
	v, err := viewer(c.UserContext(), params.Tz)
	if err != nil {
		return importer.Options{}, err
	}
	return importer.Options{
		Format: importer.Format(params.Format), DryRun: or(params.DryRun, false), Columns: columnsOf(c),
		DateFormat: or(params.DateFormat, ""), Zone: v.Zone, InvalidDates: importer.InvalidDates(or(params.InvalidDates, "")),
	}, nil
}

// columnsOf collects map.<field>=<column>; the description lists the fields.
func columnsOf(c *fiber.Ctx) map[string]string {
	columns := map[string]string{}
	c.Request().URI().QueryArgs().VisitAll(func(name, value []byte) {
		if field, ok := strings.CutPrefix(string(name), "map."); ok {
			columns[field] = string(value)
		}
	})
	return columns
}

// importSlot takes one of the few places for running imports.
func (s *server) importSlot() (release func(), err error) {
	select {
	case s.imports <- struct{}{}:
		return func() { <-s.imports }, nil
	default:
		return nil, apperr.New(apperr.Unavailable, "Other imports are running; try again when they are done.").WithRetryAfter(10 * time.Second)
	}
}

// longContext returns a context with the values of the request's, but a deadline of its own, which also ends when the
// server shuts down. It may outlive the handler.
func longContext(c *fiber.Ctx, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), timeout)
	shutdown := c.Context().Done()
	go func() {
		select {
		case <-shutdown:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// spool writes the body to a temporary file and rewinds it.
func (s *server) spool(ctx context.Context, c *fiber.Ctx) (*os.File, error) {
	body, streamed := c.Locals(keyBody).(*upload)
	if !streamed {
		return nil, apperr.InvalidField("body", "is empty, a file is expected")
	}
	limit := s.Config.ImportLimit
	tooLarge := apperr.New(apperr.TooLarge, "The file is larger than %d bytes.", limit)
	if int64(c.Request().Header.ContentLength()) > limit {
		return nil, tooLarge
	}
	file, err := os.CreateTemp(s.Config.TempDir, "tallyboard-import-*")
	if err != nil {
		return nil, apperr.Wrap(err, apperr.Unavailable, "The upload cannot be stored just now.")
	}
	n, err := io.Copy(file, io.LimitReader(&patientReader{ctx: ctx, upload: body, idle: s.Config.UploadIdleTimeout}, limit+1))
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	switch {
	case err != nil:
		err = uploadFailure(err)
	case n > limit:
		err = tooLarge
	case n == 0:
		err = apperr.InvalidField("body", "is empty, a file is expected")
	default:
		return file, nil
	}
	discard(file)
	return nil, err
}

func uploadFailure(err error) error {
	if _, ours := errors.AsType[*os.PathError](err); ours {
		return apperr.Wrap(err, apperr.Unavailable, "The upload cannot be stored just now.")
	}
	return bodyFailure(err)
}

// discard closes and removes a temporary file. Failures leave a file behind that the system's clean-up removes.
func discard(file *os.File) {
	_ = file.Close()           // it was only read since it was written
	_ = os.Remove(file.Name()) // see above
}

// patientReader gives an upload a deadline per read instead of one for the whole, and ends with its context.
type patientReader struct {
	ctx    context.Context
	upload *upload
	idle   time.Duration
}

func (r *patientReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if err := r.upload.conn.SetReadDeadline(time.Now().Add(r.idle)); err != nil {
		return 0, err
	}
	return r.upload.Read(p)
}

// complete replaces nil lists, which would be null in JSON.
func complete(r importer.Report) importer.Report {
	for _, list := range []*[]string{&r.People, &r.States, &r.Labels} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Refused == nil {
		r.Refused = []importer.Refused{}
	}
	return r
}
