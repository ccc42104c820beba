package httpapi

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// keyBody is the local under which the state of a request's body is kept: an error, or *upload.
const keyBody = "httpapi.body"

// Limits of what is read of a body that was refused already, so that the client gets to see the answer.
const (
	maxDrain     = 128 << 20 // bytes
	drainTimeout = 5 * time.Second
)

// streamBodies lets the routes chosen by streamed read their body as a stream, while all others get theirs in memory and
// within the server's limit, as before.
//
// fasthttp knows one limit and one mode per server. With StreamRequestBody it neither enforces the limit nor skips what a
// handler leaves unread: on a kept connection the rest of a body would be taken for the next request, which is request
// smuggling. So this stands in front of all middleware: it reads ordinary bodies itself, refuses those that are too
// large, and closes the connection after every request whose body was not read to its end. Before that it reads on for a
// while, because closing a connection with unread bytes resets it, and the client may lose the answer that says why.
func streamBodies(app *fiber.App, streamed func(path string) bool) {
	server := app.Server()
	limit := app.Config().BodyLimit
	server.StreamRequestBody = true
	server.DisablePreParseMultipartForm = true // it would read forms before any limit of ours
	next := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		stream := ctx.RequestBodyStream()
		if stream == nil {
			next(ctx)
			return
		}
		if !streamed(string(ctx.Path())) {
			if err := bufferBody(&ctx.Request, stream, limit); err != nil {
				ctx.SetUserValue(keyBody, err)
				drain(ctx, stream)
				ctx.SetConnectionClose()
			}
			next(ctx)
			return
		}
		body := &upload{stream: stream, conn: ctx.Conn()}
		ctx.SetUserValue(keyBody, body)
		next(ctx)
		if !body.over {
			drain(ctx, body)
			ctx.SetConnectionClose()
		}
	}
}

// drain reads what is left of a body, within limits, and throws it away.
func drain(ctx *fasthttp.RequestCtx, rest io.Reader) {
	if ctx.Request.Header.ContentLength() > maxDrain {
		return
	}
	if ctx.Conn().SetReadDeadline(time.Now().Add(drainTimeout)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, rest, maxDrain) // it ends early when the body does or the client gives up
}

// bufferBody replaces the stream of a request by its bytes, at most limit.
func bufferBody(req *fasthttp.Request, stream io.Reader, limit int) error {
	tooLarge := apperr.New(apperr.TooLarge, "The request body is larger than %d bytes.", limit)
	length := req.Header.ContentLength()
	if length == 0 {
		req.ResetBody()
		return nil
	}
	if length > limit {
		return tooLarge
	}
	var body []byte
	var err error
	if length > 0 {
		body = make([]byte, length)
		_, err = io.ReadFull(stream, body)
	} else if body, err = io.ReadAll(io.LimitReader(stream, int64(limit)+1)); err == nil && len(body) > limit { // chunked
		return tooLarge
	}
	if err != nil {
		return bodyFailure(err)
	}
	req.SetBodyRaw(body)
	return nil
}

// bodyFailure explains why a body could not be read.
func bodyFailure(err error) error {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return apperr.Wrap(err, apperr.Timeout, "The request did not arrive in time.")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return apperr.Wrap(err, apperr.Canceled, "The connection broke off.")
	}
	return apperr.Wrap(err, apperr.Invalid, "The request body is not well formed.")
}

// refuseUnreadBody answers requests whose body could not be taken.
func refuseUnreadBody(c *fiber.Ctx) error {
	if err, failed := c.Locals(keyBody).(error); failed {
		return err
	}
	return c.Next()
}

// upload is a streamed body.
type upload struct {
	stream io.Reader
	conn   net.Conn
	over   bool // read to its end
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.stream.Read(p)
	if errors.Is(err, io.EOF) {
		u.over = true
	}
	return n, err
}
