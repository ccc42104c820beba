package stats_test

import (
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/stats-service/internal/stats"
	"github.com/tallyboard/tallyboard/services/stats-service/internal/store/statstest"
)

// TestDayStarts has days that begin or last in unusual ways; the instants are from the tz database's own rules.
func TestDayStarts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone  string
		day   stats.Date
		start string
		hours float64
	}{
		{"UTC", "2026-03-29", "2026-03-29T00:00:00Z", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25},
		{"America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25},
		{"Asia/Kolkata", "2026-03-29", "2026-03-28T18:30:00Z", 24},
		{"Asia/Kathmandu", "2026-03-29", "2026-03-28T18:15:00Z", 24},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5}, // half an hour back
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23},     // 00:00 does not exist
		{"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25},     // 23:00 twice
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25},        // 00:00 twice
		{"America/St_Johns", "2010-11-07", "2010-11-07T03:30:00Z", 24},      // 00:01 back to 23:01: begins for good at the second 00:00
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0},           // left out at the date line
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24},
	} {
		days, err := stats.NewDays(c.day, c.day, mustZone(c.zone))
		if err != nil {
			t.Fatal(err)
		}
		if !days.Start(0).Equal(statstest.At(c.start)) || days.Start(1).Sub(days.Start(0)).Hours() != c.hours {
			t.Errorf("%s %s: begins %s and has %v h, want %s and %v", c.zone, c.day, days.Start(0),
				days.Start(1).Sub(days.Start(0)).Hours(), c.start, c.hours)
		}
	}
}

// TestDayIndex puts instants at the edges of a short day where they belong.
func TestDayIndex(t *testing.T) {
	t.Parallel()
	days, err := stats.NewDays("2026-03-28", "2026-03-30", mustZone("Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	for instant, want := range map[string]int{
		"2026-03-27T22:59:59Z": -1, "2026-03-27T23:00:00Z": 0, "2026-03-28T22:59:59Z": 0, "2026-03-28T23:00:00Z": 1,
		"2026-03-29T21:59:59Z": 1, "2026-03-29T22:00:00Z": 2, "2026-03-30T21:59:59Z": 2, "2026-03-30T22:00:00Z": 3,
	} {
		if got := days.Index(statstest.At(instant)); got != want || days.Contains(statstest.At(instant)) != (want >= 0 && want < 3) {
			t.Errorf("%s is on day %d, want %d", instant, got, want)
		}
	}
	if got := days.Index(statstest.At("2026-03-29T21:59:59Z").Add(time.Second - time.Microsecond)); got != 1 {
		t.Errorf("the last microsecond is on day %d", got)
	}
}

// TestPeriods refuses periods that are turned round or too long.
func TestPeriods(t *testing.T) {
	t.Parallel()
	if _, err := stats.NewDays("2026-03-02", "2026-03-01", time.UTC); err == nil {
		t.Error("a period ended before it began")
	}
	if _, err := stats.NewDays("2020-01-01", stats.Date("2020-01-01").Add(stats.MaxDays), time.UTC); err == nil {
		t.Error("a period was too long")
	}
	if days, err := stats.NewDays("2020-01-01", stats.Date("2020-01-01").Add(stats.MaxDays-1), time.UTC); err != nil || days.Len() != stats.MaxDays {
		t.Errorf("the longest period: %v", err)
	}
}
