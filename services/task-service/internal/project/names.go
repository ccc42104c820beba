package project

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

var (
	keyPattern   = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,9}$`)
	colorPattern = regexp.MustCompile(`^#[0-9a-f]{6}$`)
)

// palette for labels without a colour: distinct on light and dark, in order of use.
var palette = []string{"#3b6fd4", "#2f855a", "#b7791f", "#c53030", "#6b46c1", "#2c7a7b", "#b83280", "#4a5568", "#9c4221", "#5a67d8"}

// DefaultStates are the columns of a new project.
func DefaultStates() []NewState {
	return []NewState{
		{Name: "Backlog", Category: Backlog}, {Name: "Todo", Category: Todo}, {Name: "In progress", Category: Doing},
		{Name: "In review", Category: Doing}, {Name: "Done", Category: Done}, {Name: "Cancelled", Category: Cancelled},
	}
}

// categories in board order.
var categories = []Category{Backlog, Todo, Doing, Done, Cancelled}

// Valid reports whether c is one of the five.
func (c Category) Valid() bool { return slices.Contains(categories, c) }

func (c Category) order() int { return slices.Index(categories, c) }

// Roles of members, strongest first; package access says what each may do.
var Roles = []string{"owner", "editor", "commenter", "viewer"}

// Fold returns the form under which names are equal: case folded (Unicode simple folding), spaces collapsed.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, strings.Join(strings.Fields(name), " "))
}

// cleanName checks a name of one line and returns it with its spaces collapsed.
func cleanName(name string, limit int) (string, error) {
	if !utf8.ValidString(name) {
		return "", apperr.InvalidField("name", "is not valid UTF-8")
	}
	if strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return "", apperr.InvalidField("name", "must be one line without control characters")
	}
	name = strings.Join(strings.Fields(name), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", apperr.InvalidField("name", "must not be empty")
	case n > limit:
		return "", apperr.InvalidField("name", "has %d characters; at most %d are allowed", n, limit)
	}
	return name, nil
}

func cleanDescription(text string) (string, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return "", apperr.InvalidField("description", "is not valid UTF-8")
	case strings.ContainsRune(text, 0):
		return "", apperr.InvalidField("description", "must not contain a NUL character")
	case n > MaxDescription:
		return "", apperr.InvalidField("description", "has %d characters; at most %d are allowed", n, MaxDescription)
	}
	return text, nil
}

func checkLimit(limit *int) error {
	if limit != nil && (*limit < 1 || *limit > MaxWIPLimit) {
		return apperr.InvalidField("wipLimit", "must be a number from 1 to %d, or null for none", MaxWIPLimit)
	}
	return nil
}

func cleanColor(color string, index int) (string, error) {
	if color == "" {
		return palette[index%len(palette)], nil
	}
	color = strings.ToLower(color)
	if !colorPattern.MatchString(color) {
		return "", apperr.InvalidField("color", "must be written as #rrggbb")
	}
	return color, nil
}

// CleanKey returns the key in upper case, or apperr.Invalid.
func CleanKey(key string) (string, error) {
	key = strings.ToUpper(strings.TrimSpace(key))
	if !keyPattern.MatchString(key) {
		return "", apperr.InvalidField("key", "must be 2 to %d letters and digits (A–Z, 0–9) and begin with a letter", MaxKey)
	}
	return key, nil
}

func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("project: make an id: %w", err)
	}
	return id, nil
}
