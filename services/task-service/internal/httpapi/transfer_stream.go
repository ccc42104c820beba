package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/access"
	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/internal/kit/fiberx"
	"github.com/tallyboard/tallyboard/services/internal/kit/telemetry"
	"github.com/tallyboard/tallyboard/services/task-service/internal/httpapi/wire"
	"github.com/tallyboard/tallyboard/services/task-service/internal/importer"
)

// streamBuffer is the size of the chunks streamed answers are sent in, in bytes.
const streamBuffer = 32 << 10

// pipe answers with what produce writes. An error of produce before its first byte is answered like any other; a later
// one breaks the connection off, so that no client takes half an answer for a whole one. When the client goes away,
// writing fails and produce should return.
func (s *server) pipe(c *fiber.Ctx, limit time.Duration, produce func(w io.Writer) error) error {
	reader, writer := io.Pipe()
	var begun atomic.Bool // the answer is on its way: nobody else reports errors
	ctx := c.UserContext()
	go func() {
		var err error
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
			if err != nil && begun.Load() && !errors.Is(err, io.ErrClosedPipe) {
				s.Log.WarnContext(ctx, "streamed answer broke off", "error", err)
			}
			writer.CloseWithError(err)
		}()
		err = produce(writer)
	}()
	buffered := &pipeReader{Reader: bufio.NewReaderSize(reader, streamBuffer), pipe: reader}
	if _, err := buffered.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	begun.Store(true)
	// A client that reads nothing must not hold this for ever. The deadline stays on the connection, so it ends with this.
	if err := c.Context().Conn().SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return errors.Join(apperr.Wrap(err, apperr.Canceled, "The connection broke off."), reader.Close())
	}
	c.Context().SetConnectionClose()
	c.Context().SetBodyStream(buffered, -1)
	return nil
}

// pipeReader is closed by fasthttp when the answer was sent or the client is gone.
type pipeReader struct {
	*bufio.Reader
	pipe *io.PipeReader
}

func (r *pipeReader) Close() error { return r.pipe.Close() }

// progressLine is a line of a streamed import.
type progressLine struct {
	Type string `json:"type"`
	*importer.Progress
	Report  *importer.Report `json:"report,omitempty"`
	Problem *fiberx.Problem  `json:"problem,omitempty"`
}

// streamImport answers with a line of JSON for each progress and one for the end.
func (s *server) streamImport(
	ctx context.Context, c *fiber.Ctx, run func(context.Context, func(importer.Progress)) (importer.Report, error),
) error {
	c.Set(fiber.HeaderContentType, mimeNDJSON)
	c.Set("X-Accel-Buffering", "no") // nginx passes each line on at once
	instance := c.Path()
	return s.pipe(c, s.Config.ImportTimeout, func(w io.Writer) error { //nolint:contextcheck // it outlives the request
		lines := json.NewEncoder(w)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		emit := func(line progressLine) {
			if err := lines.Encode(line); err != nil { // the client is gone: what was imported stays
				cancel(apperr.Wrap(err, apperr.Canceled, "The client is gone."))
			}
		}
		emit(progressLine{Type: "progress", Progress: &importer.Progress{}})
		report, err := run(ctx, func(p importer.Progress) { emit(progressLine{Type: "progress", Progress: &p}) })
		report = complete(report)
		if err != nil {
			emit(progressLine{Type: "problem", Report: &report, Problem: s.problem(ctx, instance, err)})
			return nil
		}
		emit(progressLine{Type: "report", Report: &report})
		return nil
	})
}

// problem makes the problem document of an error that cannot become an answer any more, and logs faults of ours.
func (s *server) problem(ctx context.Context, instance string, err error) *fiberx.Problem {
	code := apperr.CodeOf(err)
	status := fiberx.StatusOf(code)
	out := &fiberx.Problem{
		Type: "/problems/" + string(code), Title: http.StatusText(status), Status: status, Instance: instance, Code: string(code),
		TraceID: telemetry.TraceID(ctx), Detail: "The import broke off. What it has added stays; import the file again to complete it.",
	}
	if failure, ok := apperr.As(err); ok && code != apperr.Internal {
		out.Detail, out.Errors = failure.Message, failure.Fields
	} else if code == apperr.Internal {
		s.Log.ErrorContext(ctx, "import failed", "error", err)
	}
	return out
}

// ExportProject streams a project as a file.
func (s *server) ExportProject(c *fiber.Ctx, key wire.Key, params wire.ExportProjectParams) error {
	p, err := s.project(c.UserContext(), key, access.ReadProject)
	if err != nil {
		return err
	}
	ctx, cancel := longContext(c, s.Config.ExportTimeout)
	who := caller(ctx).Person
	format := or(params.Format, wire.ExportProjectParamsFormatJson)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+p.Key+`.`+string(format)+`"`)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	if format == wire.ExportProjectParamsFormatCsv {
		c.Set(fiber.HeaderContentType, mimeCSV+"; charset=utf-8")
	}
	return s.pipe(c, s.Config.ExportTimeout, func(w io.Writer) error {
		defer cancel()
		out := bufio.NewWriterSize(w, streamBuffer)
		var err error
		if format == wire.ExportProjectParamsFormatCsv {
			err = s.Exporter.CSV(ctx, out, p.Key)
		} else {
			err = s.Exporter.JSON(ctx, out, p.Key, who)
		}
		if err == nil {
			err = out.Flush()
		}
		return err
	})
}
