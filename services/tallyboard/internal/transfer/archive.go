// Package transfer moves a whole installation by way of its HTTP API: every project with its tasks and their history, into
// one file, and from that into another installation, on either engine. It needs no access to the database.
//
// The file is a zip: a JSON export of each project as the API makes it (projects/KEY.json), and manifest.json, which says
// what each has in it. What travels: tasks with all their fields, numbers, order and trash; their histories with times and
// people; comments and relations; states, labels, limits, members, the views the exporting person sees, and people by
// handle. What does not: ids (tasks get new ones), the history of a project's settings, moves within a column (the order
// they led to does travel), and what stays behind with the server, such as positions and idempotency keys. Each project is
// read page by page: what is changed meanwhile may or may not be in the file. A backup of the database has everything.
package transfer

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// format is the version of the file; a reader refuses greater ones.
	format = 1
	// manifestName is the entry that lists the others.
	manifestName = "manifest.json"
	// maxManifest bounds the manifest, in bytes.
	maxManifest = 16 << 20
)

// manifest says what a file holds.
type manifest struct {
	Format   int         `json:"format"`
	Exported time.Time   `json:"exported"`
	Version  string      `json:"version"` // of the program that wrote it
	Projects []inventory `json:"projects"`
}

// inventory is what a project's export has in it.
type inventory struct {
	Key       string `json:"key"`
	File      string `json:"file"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"` // hexadecimal
	Tasks     int64  `json:"tasks"`
	Events    int64  `json:"events"`
	Comments  int64  `json:"comments"`
	Relations int64  `json:"relations"`

	settings settings // read with it
}

// settings is what an export tells about a project apart from its tasks.
type settings struct {
	Header struct {
		Format int `json:"format"`
	}
	Project projectSettings
	People  []person
}

type projectSettings struct {
	Key         string     `json:"key"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	States      []state    `json:"states"`
	Labels      []label    `json:"labels"`
	Members     []member   `json:"members"`
	Archived    *time.Time `json:"archived"`
}

type state struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	WIPLimit *int   `json:"wipLimit,omitempty"`
	Archived bool   `json:"archived,omitempty"`
}

type label struct {
	Name  string `json:"name"`
	Color string `json:"color"`
}

type member struct {
	Person string `json:"person"`
	Role   string `json:"role"`
}

type person struct {
	ID     string `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
}

// take reads a project's export to its end and says what is in it. An export that broke off is an error. Memory holds one
// task at a time.
func take(r io.Reader) (inventory, error) {
	var in inventory
	sum := sha256.New()
	counted := &counter{w: sum}
	tee := io.TeeReader(r, counted)
	dec := json.NewDecoder(tee)
	err := in.read(dec)
	if err == nil {
		_, err = io.Copy(io.Discard, tee) // to the end of the answer, which tells whether it is whole
	}
	if err != nil {
		return in, fmt.Errorf("the export is not complete: %w", err)
	}
	if in.settings.Header.Format == 0 || in.settings.Project.Key == "" {
		return in, errors.New("this is no export of a project")
	}
	in.Key, in.Bytes, in.SHA256 = in.settings.Project.Key, counted.n, hex.EncodeToString(sum.Sum(nil))
	return in, nil
}

func (in *inventory) read(dec *json.Decoder) error {
	if err := expect(dec, '{'); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return fmt.Errorf("read a name: %w", err)
		}
		var into any = new(json.RawMessage) // of a later minor version
		switch name {
		case "tallyboard":
			into = &in.settings.Header
		case "project":
			into = &in.settings.Project
		case "people":
			into = &in.settings.People
		case "tasks":
			if err := in.readTasks(dec); err != nil {
				return err
			}
			continue
		}
		if err := dec.Decode(into); err != nil {
			return fmt.Errorf("read %v: %w", name, err)
		}
	}
	return expect(dec, '}')
}

func (in *inventory) readTasks(dec *json.Decoder) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var t struct {
			Events    []json.RawMessage `json:"events"`
			Comments  []json.RawMessage `json:"comments"`
			Relations []json.RawMessage `json:"relations"`
		}
		if err := dec.Decode(&t); err != nil {
			return fmt.Errorf("read task %d: %w", in.Tasks+1, err)
		}
		in.Tasks++
		in.Events += int64(len(t.Events))
		in.Comments += int64(len(t.Comments))
		in.Relations += int64(len(t.Relations))
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return fmt.Errorf("read %v: %w", want, err)
	}
	if token != want {
		return fmt.Errorf("%v instead of %v", token, want)
	}
	return nil
}

// counter counts what passes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// open reads the manifest of a file and holds each project's export to it, so that a damaged file changes nothing.
func open(z *zip.Reader) (manifest, error) {
	var m manifest
	text, err := z.Open(manifestName)
	if err != nil {
		return m, fmt.Errorf("the file is no export of Tallyboard, or it is not complete: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(text, maxManifest))
	if err = errors.Join(err, text.Close()); err != nil {
		return m, fmt.Errorf("read %s: %w", manifestName, err)
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&m); err != nil {
		return m, fmt.Errorf("read %s: %w", manifestName, err)
	}
	switch {
	case m.Format < 1:
		return m, errors.New("the file is no export of Tallyboard: its manifest has no format")
	case m.Format > format:
		return m, fmt.Errorf("the file was written by a newer Tallyboard (format %d, this one reads %d)", m.Format, format)
	}
	for i, want := range m.Projects {
		entry, err := z.Open(want.File)
		if err != nil {
			return m, fmt.Errorf("the file is damaged: %s is missing: %w", want.File, err)
		}
		have, err := take(entry)
		if err = errors.Join(err, entry.Close()); err != nil {
			return m, fmt.Errorf("the file is damaged: %s: %w", want.File, err)
		}
		if have.SHA256 != want.SHA256 || have.Key != want.Key || have.Tasks != want.Tasks {
			return m, fmt.Errorf("the file is damaged: %s is not what the manifest says", want.File)
		}
		m.Projects[i].settings, m.Projects[i].Bytes = have.settings, have.Bytes
	}
	return m, nil
}
