package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/task"
)

// A cursor is base64url (no padding) of
//
//	1 byte version · 16 bytes id of the last row · its sort value · 8 bytes sum
//
// The sum is taken over the bytes before it and over the list they belong to (projects, filter, sort, trash, zone). It
// catches damage and cursors that are used for another list; it is no secret, and none is needed, because a cursor gives
// access to nothing that the list itself does not.
const (
	cursorVersion = 1
	cursorSum     = 8
)

// listKey is what a cursor is bound to.
func listKey(in task.ListInput) []byte {
	h := sha256.New()
	for _, part := range []string{in.Project, in.Filter, in.Sort, in.Viewer.Zone.String()} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	if in.Trashed {
		h.Write([]byte{1})
	}
	return h.Sum(nil)
}

// encodeCursor returns the text of a cursor for the list with the key; nil is the end of the list and gives "".
func encodeCursor(cursor *task.Cursor, key []byte) string {
	if cursor == nil {
		return ""
	}
	b := make([]byte, 0, 1+len(cursor.ID)+len(cursor.Value)+cursorSum)
	b = append(b, cursorVersion)
	b = append(b, cursor.ID[:]...)
	b = append(b, cursor.Value...)
	b = append(b, sumOf(b, key)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads a cursor of the list with the key and the sort. Errors are apperr.Invalid for the field cursor.
func decodeCursor(text string, sort task.Sort, key []byte) (*task.Cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 1+len(uuid.UUID{})+cursorSum || b[0] != cursorVersion {
		return nil, apperr.InvalidField("cursor", "is not a cursor of this API")
	}
	body, sum := b[:len(b)-cursorSum], b[len(b)-cursorSum:]
	if !bytes.Equal(sum, sumOf(body, key)) {
		return nil, apperr.InvalidField("cursor", "is damaged, or belongs to a list with another project, filter, sort, trash setting or time zone")
	}
	value := body[1+len(uuid.UUID{}):]
	if !utf8.Valid(value) {
		return nil, apperr.InvalidField("cursor", "is damaged")
	}
	return &task.Cursor{Sort: sort, Value: string(value), ID: uuid.UUID(body[1 : 1+len(uuid.UUID{})])}, nil
}

func sumOf(body, key []byte) []byte {
	h := sha256.New()
	h.Write(key)
	h.Write(body)
	return h.Sum(nil)[:cursorSum]
}
