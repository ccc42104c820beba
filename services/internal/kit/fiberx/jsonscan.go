package fiberx

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// maxJSONDepth is how deep arrays and objects may be nested in a request body.
const maxJSONDepth = 64

// manyKeys is the size from which an object's keys are compared by a map.
const manyKeys = 16

// level is one open array or object.
type level struct {
	object    bool
	expectKey bool
	keys      []string
	index     map[string]struct{} // of keys, once there are many
}

// add remembers a key and reports whether it is new.
func (l *level) add(key string) bool {
	if l.index != nil {
		_, seen := l.index[key]
		l.index[key] = struct{}{}
		return !seen
	}
	if slices.Contains(l.keys, key) {
		return false
	}
	if l.keys = append(l.keys, key); len(l.keys) > manyKeys {
		l.index = make(map[string]struct{}, 4*manyKeys)
		for _, k := range l.keys {
			l.index[k] = struct{}{}
		}
	}
	return true
}

// scanner walks over JSON text that may be none.
type scanner struct {
	data  []byte
	stack []level
}

// checkStructure refuses what encoding/json accepts in silence: repeated keys, U+0000 and lone surrogates in strings, and
// deep nesting. It does not validate JSON; on text that is none it returns nil and leaves the complaint to the decoder.
func checkStructure(data []byte) *apperr.Error {
	s := scanner{data: data}
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '{', '[':
			if len(s.stack) == maxJSONDepth {
				return apperr.InvalidField(bodyField, "is nested deeper than %d levels", maxJSONDepth).At(i)
			}
			s.stack = append(s.stack, level{object: c == '{', expectKey: c == '{'})
		case '}', ']':
			if len(s.stack) == 0 {
				return nil
			}
			s.stack = s.stack[:len(s.stack)-1]
		case ',':
			if top := s.top(); top != nil {
				top.expectKey = top.object
			}
		case '"':
			end, err := s.text(i)
			if err != nil || end < 0 {
				return err
			}
			i = end
		}
	}
	return nil
}

// top returns the innermost open array or object, or nil.
func (s *scanner) top() *level {
	if len(s.stack) == 0 {
		return nil
	}
	return &s.stack[len(s.stack)-1]
}

// text checks the string that opens at start, and that it is new if it is a key. It returns the index of its closing
// quote, or -1 if the text is no JSON.
func (s *scanner) text(start int) (end int, _ *apperr.Error) {
	end = endOfString(s.data, start)
	if end < 0 {
		return -1, nil
	}
	raw := s.data[start : end+1]
	escaped := bytes.IndexByte(raw, '\\') >= 0
	if escaped {
		if at, bad := badEscape(raw); bad != "" {
			return -1, apperr.InvalidField(bodyField, "%s", bad).At(start + at)
		}
	}
	top := s.top()
	if top == nil || !top.expectKey {
		return end, nil
	}
	key := string(raw[1 : len(raw)-1])
	if escaped {
		if err := json.Unmarshal(raw, &key); err != nil {
			return -1, nil //nolint:nilerr // no JSON: the decoder says so better
		}
	}
	if !top.add(key) {
		return -1, apperr.InvalidField(key, "is given twice").At(start)
	}
	top.expectKey = false
	return end, nil
}

// endOfString returns the index of the closing quote of the string that opens at start, or -1.
func endOfString(data []byte, start int) int {
	for i := start + 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// badEscape looks for \u0000, which PostgreSQL cannot store, and for surrogates without their other half, which
// encoding/json would replace by U+FFFD.
func badEscape(raw []byte) (at int, complaint string) {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if raw[i+1] != 'u' {
			i++
			continue
		}
		unit, ok := codeUnit(raw[i:])
		switch {
		case !ok:
			return 0, "" // the decoder will complain
		case unit == 0:
			return i, "must not contain the character U+0000"
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return i, "contains half of a surrogate pair"
		case unit >= 0xD800 && unit <= 0xDBFF:
			low, ok := codeUnit(raw[i+6:])
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return i, "contains half of a surrogate pair"
			}
			i += 6
		}
		i += 5
	}
	return 0, ""
}

// codeUnit reads \uXXXX at the start of s.
func codeUnit(s []byte) (uint16, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return uint16(v), err == nil
}
