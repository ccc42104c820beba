package query

import (
	"encoding/base32"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxWord is how many runes of a word are indexed; MySQL's full-text index holds words of up to 84 characters.
	maxWord = 60
	// maxTitleKey is how many runes of a title decide the order of lists; the columns hold 64.
	maxTitleKey = 64
	// maxSearchWords of a search are looked up; a list in a URL cannot have many more.
	maxSearchWords = 50
)

// tagEncoding writes project tags in lower-case letters and digits, which every full-text parser takes for a word.
var tagEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// tag stands in front of each of a project's words in the index. Six random bytes of its UUID make collisions of two
// projects harmless and rare: they cost time, not correctness, because the project is compared as well.
func tag(project uuid.UUID) string { return "q" + tagEncoding.EncodeToString(project[10:15]) }

// TitleKey returns what titles are ordered by: the text without case and accents, cut to the column's size.
func TitleKey(title string) string {
	folded := []rune(strings.Join(strings.Fields(fold(title)), " "))
	if len(folded) > maxTitleKey {
		folded = folded[:maxTitleKey]
	}
	return strings.TrimRight(string(folded), " ") // MySQL pads with spaces when it compares
}

// Words returns the index text of a task: its folded words, each once, in ascending order and behind the project's tag.
func Words(project uuid.UUID, title, description string) string {
	words := append(split(title), split(description)...)
	slices.Sort(words)
	words = slices.Compact(words)
	t := tag(project)
	var b strings.Builder
	b.Grow(len(words) * 16)
	for _, w := range words {
		b.WriteByte(' ') // also in front of the first: it marks where words begin
		b.WriteString(t)
		b.WriteString(w)
	}
	return b.String()
}

// term is one word of a search as it stands in the index: a tagged prefix for each project, of which one must occur.
type term []string

// terms returns what must occur in tasks of the projects that have all words, or words that begin with them. They consist
// of letters and digits only. There are none if there is no word in words.
func terms(projects []uuid.UUID, words []string) []term {
	wanted := split(strings.Join(words, " "))
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	if len(wanted) > maxSearchWords {
		wanted = wanted[:maxSearchWords]
	}
	out := make([]term, len(wanted))
	for i, w := range wanted {
		for _, p := range projects {
			out[i] = append(out[i], tag(p)+w)
		}
	}
	return out
}

// booleanQuery writes terms for MySQL's boolean mode, tsQuery for PostgreSQL.
func booleanQuery(terms []term) string {
	return join(terms, " ", func(t term) string { return "+(" + strings.Join(t, "* ") + "*)" })
}

func tsQuery(terms []term) string {
	return join(terms, "&", func(t term) string { return "(" + strings.Join(t, ":*|") + ":*)" })
}

func join(terms []term, between string, each func(term) string) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = each(t)
	}
	return strings.Join(parts, between)
}

// split returns the folded words of a text: maximal runs of letters and digits, cut to maxWord runes.
func split(text string) []string {
	words := strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		if len(w) > maxWord {
			if runes := []rune(w); len(runes) > maxWord {
				words[i] = string(runes[:maxWord])
			}
		}
	}
	return words
}

// fold takes case, accents and compatibility forms off a text, and control characters out.
func fold(text string) string {
	ascii := true
	for i := range len(text) {
		if text[i] >= 0x80 || text[i] < ' ' {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(text)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
}
