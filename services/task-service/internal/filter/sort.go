package filter

import (
	"slices"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// SortFields lists what lists can be sorted by; rank is the default.
var SortFields = []string{"rank", "created", "updated", "due", "start", "priority", "number", "title", "completed"}

// ParseSort reads a sort such as "due" or "-updated"; empty is rank.
func ParseSort(s string) (field string, descending bool, err error) {
	if s == "" {
		return SortFields[0], false, nil
	}
	field, descending = strings.CutPrefix(s, "-")
	if !slices.Contains(SortFields, field) {
		return "", false, apperr.InvalidField("sort", "%q is none of %s%s; a minus in front sorts descending",
			strings.ToValidUTF8(s[:min(len(s), 40)], "?"), strings.Join(SortFields, ", "), didYouMean(field, SortFields))
	}
	return field, descending, nil
}
