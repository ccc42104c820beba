// Package disk gives servers small disks of their own, which can be made full. Each is a file system in memory that only
// the server and the drill can see: it lies in a mount namespace that a holder process keeps, so that it outlives the
// server's death by kill -9, and is gone with the holder, however the drill ends. Neither root nor a place on the machine's
// disks is needed where the kernel lets users have namespaces.
package disk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// answerWithin bounds the wait for the holder, which does nothing that takes long on a machine that is not busy.
const answerWithin = time.Minute

// Disk is one file system.
type Disk struct {
	Path string // folder it is mounted on; must be there
	User *proc.User
}

// Room is where the disks are: programs within see them at their paths, others see the folders below as they were. Its
// methods are safe for concurrent use by servers with a disk each.
type Room struct {
	holder holder
	ask    chan question
	ended  chan struct{} // closed when the holder's answers have ended
}

type question struct {
	text   string
	answer chan error
}

// Open mounts the disks. self is the drill's program, which is the holder when it is called with Command. An error says why
// this machine does not let us have disks of our own.
func Open(ctx context.Context, self string, disks []Disk) (*Room, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	h, err := hold(self, disks)
	if err != nil {
		return nil, fmt.Errorf("no disks of our own: %w", err)
	}
	r := &Room{holder: h, ask: make(chan question), ended: make(chan struct{})}
	ready := make(chan error, 1)
	go r.talk(ready)
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("no disks of our own: %w", err), r.Close())
	}
	return r, nil
}

// talk passes on questions and answers, one after the other; the first answer says whether all is mounted.
func (r *Room) talk(ready chan<- error) {
	defer close(r.ended)
	answers := bufio.NewScanner(r.holder.out)
	next := func() error {
		switch {
		case !answers.Scan():
			return errors.Join(errors.New("the process that holds them ended"), answers.Err())
		case answers.Text() != done:
			return errors.New(answers.Text())
		}
		return nil
	}
	ready <- next()
	for q := range r.ask {
		if _, err := fmt.Fprintln(r.holder.in, q.text); err != nil {
			q.answer <- fmt.Errorf("ask the process that holds the disks: %w", err)
			continue
		}
		q.answer <- next()
	}
}

func (r *Room) do(ctx context.Context, command, path string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	q := question{text: command + " " + path, answer: make(chan error, 1)}
	select {
	case r.ask <- q:
	case <-ctx.Done():
		return fmt.Errorf("%s the disk %s: %w", command, path, ctx.Err())
	}
	select {
	case err := <-q.answer:
		if err != nil {
			return fmt.Errorf("%s the disk %s: %w", command, path, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s the disk %s: %w", command, path, ctx.Err())
	}
}

// Fill leaves no free byte on the disk at path: it becomes as small as what is on it.
func (r *Room) Fill(ctx context.Context, path string) error { return r.do(ctx, fill, path) }

// Free gives the disk at path its size back.
func (r *Room) Free(ctx context.Context, path string) error { return r.do(ctx, free, path) }

// Close lets the disks go, with all that is on them, once the programs in the room have ended.
func (r *Room) Close() error {
	close(r.ask)
	return r.holder.end(r.ended)
}

// What the holder is asked, and what it answers when it did so.
const (
	fill = "fill"
	free = "free"
	done = "done"
)

// Command is the first argument by which the drill's program becomes the holder.
const Command = "disks"

// Hold is the holder: it mounts a disk on each path, and makes them full and empty as it is asked on in, until that ends.
// A path is followed by =UID:GID of its owner.
func Hold(in io.Reader, out io.Writer, paths []string) error {
	say := func(err error) error {
		text := done
		if err != nil {
			text = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		_, err = fmt.Fprintln(out, text)
		return err
	}
	if err := mountAll(paths); err != nil {
		return errors.Join(err, say(err))
	}
	if err := say(nil); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		command, path, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch command {
		case fill:
			err = shrink(path)
		case free:
			err = resize(path, size)
		default:
			err = fmt.Errorf("there is no command %q", command)
		}
		if err := say(err); err != nil {
			return err
		}
	}
	return nil
}
