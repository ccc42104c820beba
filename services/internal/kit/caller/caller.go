// Package caller tells a request's work whether anybody still waits for its answer.
//
// It matters for changes. A proxy that has given a replica up (it hung, or was cut off from the database) closes its
// connection and sends the request, which carries an Idempotency-Key, to another replica. If that one refuses it, as
// things are at that moment, the refusal is final for whoever asked. The first replica may come back to life, find that
// things have changed meanwhile, and carry out what was refused. So it looks, inside the transaction, once it holds its
// locks: while the connection is open, nobody else has been asked, and whoever is asked later waits for the locks and
// finds what was done.
//
// Who has closed only its own direction (shutdown of the sending half, as "nc -N" does) and still reads counts as gone: on a
// connection, the two look alike. No edge and no browser does so. Such a client gets the status 499, and nothing is changed.
package caller

import (
	"context"
	"net"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

type key struct{}

// Watch returns a context whose work can ask whether the other end of conn, on which the request came, is still there.
// Where that cannot be known (conn is no socket of the operating system, or this is not Unix), it is taken to be.
func Watch(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, key{}, conn)
}

// Present returns nil while the sender of the request waits for its answer, and apperr.Canceled after that. Without Watch
// it is nil. It costs one system call, which does not block.
func Present(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	if conn, ok := ctx.Value(key{}).(net.Conn); ok && closed(conn) {
		return apperr.New(apperr.Canceled, "Nobody waits for the answer to this request any more.")
	}
	return nil
}
