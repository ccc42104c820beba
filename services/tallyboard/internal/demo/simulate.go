// Package demo makes a believable project: ninety days of a small team's work, with weekends, reviews that bounce, urgent
// bugs, forgotten tasks and a few that were cancelled. The same seed makes the same history.
package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

// Days of history.
const Days = 90

// Names of the default states, in which the story is told.
const (
	backlog    = "Backlog"
	todo       = "Todo"
	inProgress = "In progress"
	inReview   = "In review"
	done       = "Done"
	cancelled  = "Cancelled"
)

// story of one task.
type story struct {
	title       string
	description string
	labels      []string
	priority    int
	estimate    float64
	creator     string
	assignee    string // "" until somebody takes it
	created     time.Time
	moves       []move // oldest first, each after created
	comments    []comment
	due         time.Time // zero: none
	subtaskOf   int       // index of the story it is part of, or -1
}

type move struct {
	at     time.Time
	to     string
	person string
}

type comment struct {
	at     time.Time
	person string
	body   string
}

// worker is somebody of the team with what they have on their desk.
type worker struct {
	handle string
	freeAt time.Time
}

// simulate tells the stories of the days before end, oldest first.
func simulate(seed uint64, end time.Time) []story {
	s := &simulation{rng: rand.New(rand.NewPCG(seed, 90)), end: end} //nolint:gosec // a story, not a secret
	for _, h := range []string{"ada", "grace", "linus", "margaret", "dennis"} {
		s.team = append(s.team, &worker{handle: h})
	}
	first := end.AddDate(0, 0, -Days)
	day := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)
	for ; day.Before(end); day = day.AddDate(0, 0, 1) {
		if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
			continue
		}
		s.arrivals(day)
		s.work(day)
	}
	return s.stories
}

type simulation struct {
	rng     *rand.Rand
	end     time.Time
	team    []*worker
	stories []story
	waiting []int // indexes of stories nobody has begun, most urgent first
	titles  int
}

func (s *simulation) at(day time.Time, hour float64) time.Time {
	return day.Add(time.Duration(hour * float64(time.Hour))).Truncate(time.Second)
}

func (s *simulation) anyone() string { return s.team[s.rng.IntN(len(s.team))].handle }

// arrivals adds what is asked for on one day: about as much as the team can do, more at the start of a month.
func (s *simulation) arrivals(day time.Time) {
	n := 2 + s.rng.IntN(4)
	if day.Day() <= 4 {
		n += 3
	}
	for range n {
		at := s.at(day, 8+9*s.rng.Float64())
		if at.After(s.end) {
			return
		}
		s.add(at)
	}
}

func (s *simulation) add(at time.Time) {
	t := titles[s.titles%len(titles)]
	round := s.titles / len(titles)
	s.titles++
	st := story{title: t.text, labels: t.labels, creator: s.anyone(), created: at, estimate: float64([]int{1, 2, 3, 5, 8}[s.rng.IntN(5)]),
		priority: []int{0, 2, 3, 3, 3, 4}[s.rng.IntN(6)], subtaskOf: -1}
	if round > 0 {
		st.title = followUps[round%len(followUps)] + st.title
	}
	if t.bug && s.rng.Float64() < 0.25 {
		st.priority = 1
	}
	if s.rng.Float64() < 0.35 {
		st.due = at.AddDate(0, 0, 5+s.rng.IntN(25))
	}
	if s.rng.Float64() < 0.3 {
		st.description = descriptions[s.rng.IntN(len(descriptions))]
	}
	index := len(s.stories)
	if index > 5 && s.rng.Float64() < 0.08 {
		if parent := index - 1 - s.rng.IntN(4); s.stories[parent].subtaskOf < 0 && len(s.stories[parent].moves) == 0 {
			st.subtaskOf = parent
		}
	}
	s.stories = append(s.stories, st)
	switch {
	case s.rng.Float64() < 0.06:
		s.later(index, 2+10*s.rng.Float64(), cancelled, st.creator)
		return
	case st.priority == 1: // somebody drops everything
		s.waiting = append([]int{index}, s.waiting...)
	case s.rng.Float64() < 0.12: // stays in the backlog
		return
	default:
		s.waiting = append(s.waiting, index)
	}
	if st.priority != 1 {
		s.later(index, 0.2+2*s.rng.Float64(), todo, st.creator)
	}
}

// later appends a move some working days on, if that is still in the past; it reports whether it was.
func (s *simulation) later(index int, days float64, to, person string) bool {
	st := &s.stories[index]
	from := st.created
	if n := len(st.moves); n > 0 {
		from = st.moves[n-1].at
	}
	at := workingTime(from, days)
	if at.After(s.end) {
		return false
	}
	st.moves = append(st.moves, move{at: at, to: to, person: person})
	return true
}

// workingTime adds working days (of eight hours, from nine) to a moment.
func workingTime(from time.Time, days float64) time.Time {
	whole := int(days)
	at := from.Add(time.Duration((days - float64(whole)) * 8 * float64(time.Hour)))
	for {
		if at.Hour() >= 18 {
			at = time.Date(at.Year(), at.Month(), at.Day()+1, 9, at.Minute(), at.Second(), 0, time.UTC)
		}
		switch at.Weekday() {
		case time.Saturday:
			at = at.AddDate(0, 0, 2)
			continue
		case time.Sunday:
			at = at.AddDate(0, 0, 1)
			continue
		}
		if whole == 0 {
			return at.Truncate(time.Second)
		}
		whole--
		at = at.AddDate(0, 0, 1)
	}
}

// work lets everybody who is free take the next task and tells how that went.
func (s *simulation) work(day time.Time) {
	for _, w := range s.team {
		for w.freeAt.Before(day.AddDate(0, 0, 1)) && len(s.waiting) > 0 {
			next := s.waiting[0]
			s.waiting = s.waiting[1:]
			s.tell(w, next, day)
		}
	}
}

func (s *simulation) tell(w *worker, index int, day time.Time) {
	st := &s.stories[index]
	st.assignee = w.handle
	begin := s.at(day, 9+2*s.rng.Float64())
	for _, earliest := range []time.Time{w.freeAt, st.created.Add(20 * time.Minute)} {
		if begin.Before(earliest) {
			begin = earliest
		}
	}
	if n := len(st.moves); n > 0 && !begin.After(st.moves[n-1].at) {
		begin = st.moves[n-1].at.Add(30 * time.Minute)
	}
	begin = workingTime(begin, 0)
	if begin.After(s.end) {
		return
	}
	st.moves = append(st.moves, move{at: begin, to: inProgress, person: w.handle})
	// Cycle times of knowledge work are close to log-normal: most short, a long tail.
	days := math.Exp(0.2+0.7*s.rng.NormFloat64()) * (0.5 + st.estimate/6)
	w.freeAt = workingTime(begin, math.Min(days, 12))
	if s.rng.Float64() < 0.015 { // taken and forgotten
		w.freeAt = workingTime(begin, 1)
		return
	}
	if !s.later(index, days, inReview, w.handle) {
		return
	}
	reviewer := s.anyone()
	if s.rng.Float64() < 0.4 {
		s.say(index, reviewer)
	}
	if s.rng.Float64() < 0.18 { // the review bounces
		if !s.later(index, 0.2+0.6*s.rng.Float64(), inProgress, reviewer) || !s.later(index, 0.3+days/3, inReview, w.handle) {
			return
		}
	}
	if s.later(index, 0.1+1.2*s.rng.Float64(), done, reviewer) && s.rng.Float64() < 0.03 { // reopened
		if s.later(index, 1+3*s.rng.Float64(), inProgress, st.creator) {
			s.later(index, 0.5+days/2, done, w.handle)
		}
	}
}

func (s *simulation) say(index int, person string) {
	st := &s.stories[index]
	at := st.moves[len(st.moves)-1].at.Add(time.Duration(5+s.rng.IntN(120)) * time.Minute)
	if at.Before(s.end) {
		st.comments = append(st.comments, comment{at: at, person: person, body: remarks[s.rng.IntN(len(remarks))]})
	}
}
