package drill

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// recordLine is one line of a record's file. A long run has hundreds of thousands of events, which nobody should have to
// hold as one text.
type recordLine struct {
	Record  *check.Record  `json:"record,omitempty"` // without what the other lines have
	Stream  *ledger.Stream `json:"stream,omitempty"`
	Mark    *check.Mark    `json:"mark,omitempty"`
	Task    *check.Task    `json:"task,omitempty"`
	Comment *check.Comment `json:"comment,omitempty"`
	Event   *check.Event   `json:"event,omitempty"`
}

// recordBuffer is what is written or read at once, in bytes.
const recordBuffer = 1 << 20

// saveRecord writes a record as lines of JSON.
func saveRecord(path string, r *check.Record) (err error) {
	f, err := os.Create(path) //nolint:gosec // of this run
	if err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer := bufio.NewWriterSize(f, recordBuffer)
	out := json.NewEncoder(buffer)
	rest := *r
	rest.Streams, rest.Marks = nil, nil
	rest.Found.Tasks, rest.Found.Comments, rest.Found.Events = nil, nil, nil
	err = out.Encode(recordLine{Record: &rest})
	for i := 0; i < len(r.Streams) && err == nil; i++ {
		err = out.Encode(recordLine{Stream: &r.Streams[i]})
	}
	for i := 0; i < len(r.Marks) && err == nil; i++ {
		err = out.Encode(recordLine{Mark: &r.Marks[i]})
	}
	for i := 0; i < len(r.Found.Tasks) && err == nil; i++ {
		err = out.Encode(recordLine{Task: &r.Found.Tasks[i]})
	}
	for i := 0; i < len(r.Found.Comments) && err == nil; i++ {
		err = out.Encode(recordLine{Comment: &r.Found.Comments[i]})
	}
	for i := 0; i < len(r.Found.Events) && err == nil; i++ {
		err = out.Encode(recordLine{Event: &r.Found.Events[i]})
	}
	if err := errors.Join(err, buffer.Flush()); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// loadRecord reads what saveRecord has written.
func loadRecord(path string) (r check.Record, err error) {
	f, err := os.Open(path) //nolint:gosec // chosen by who checks
	if err != nil {
		return r, fmt.Errorf("read the record: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for lines, n := json.NewDecoder(bufio.NewReaderSize(f, recordBuffer)), 1; ; n++ {
		var line recordLine
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return r, fmt.Errorf("read line %d of the record: %w", n, err)
		}
		switch {
		case line.Record != nil:
			r = *line.Record
		case line.Stream != nil:
			r.Streams = append(r.Streams, *line.Stream)
		case line.Mark != nil:
			r.Marks = append(r.Marks, *line.Mark)
		case line.Task != nil:
			r.Found.Tasks = append(r.Found.Tasks, *line.Task)
		case line.Comment != nil:
			r.Found.Comments = append(r.Found.Comments, *line.Comment)
		case line.Event != nil:
			r.Found.Events = append(r.Found.Events, *line.Event)
		}
	}
}
