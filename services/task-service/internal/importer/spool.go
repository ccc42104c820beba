package importer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// spool is the file's copy on disk, which every pass reads from its start. It has no name, so that it goes with the
// process however that ends.
type spool struct {
	file *os.File
	size int64
}

func (r *run) spool(ctx context.Context, from io.Reader) (*spool, error) {
	f, err := tempFile(r.d.TempDir)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, &watched{ctx: ctx, from: from, read: func(n int64) {
		if r.o.Progress != nil {
			r.o.Progress(Progress{Bytes: n})
		}
	}})
	if err == nil && n == 0 {
		err = apperr.New(apperr.Invalid, "The file is empty.")
	}
	s := &spool{file: f, size: n}
	if err != nil {
		s.close()
		if _, ok := apperr.As(err); ok {
			return nil, err
		}
		return nil, fmt.Errorf("importer: copy the file: %w", err)
	}
	return s, nil
}

// watched stops when the context ends, and tells how far it came, each few megabytes.
type watched struct {
	ctx      context.Context
	from     io.Reader
	read     func(n int64)
	n, tells int64
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.from.Read(p)
	w.n += int64(n)
	const often = 4 << 20
	if w.n >= w.tells+often {
		w.tells = w.n
		w.read(w.n)
	}
	return n, err
}

// tempFile makes a file without a name.
func tempFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "tallyboard-import-*")
	if err != nil {
		return nil, fmt.Errorf("importer: make a temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil { // possible while it is open, but for Windows
		return nil, errors.Join(fmt.Errorf("importer: unlink the temporary file: %w", err), f.Close())
	}
	return f, nil
}

func (s *spool) close() { _ = s.file.Close() } // only read from by now; nothing can get lost

// open returns a reader from the start, behind a byte order mark.
func (s *spool) open() (*bufio.Reader, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.size), 64<<10)
	head, err := r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("importer: read the copied file: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		if _, err := r.Discard(3); err != nil {
			return nil, fmt.Errorf("importer: read the copied file: %w", err)
		}
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return nil, apperr.New(apperr.Invalid, "The file is UTF-16; save it as UTF-8.")
	}
	return r, nil
}

// errTooLong says that one row or element needs more than its share of memory.
var errTooLong = errors.New("importer: row too long")

// rationed gives at most so many bytes per row, so that a quote that is never closed does not read a file into memory.
type rationed struct {
	from io.Reader
	left int
}

func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errTooLong
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
