package storetest

// testCase is one test of the suite. alone asks for a database of its own.
type testCase struct {
	name  string
	run   func(f *fixture)
	alone bool
}

var cases = []testCase{
	{"people", people, true},
	{"projects", projects, true},
	{"states in use", statesInUse, false},
	{"views", views, false},
	{"create", create, false},
	{"create failed neighbours", failedNeighbours, false},
	{"create idempotent", createIdempotent, false},
	{"create concurrent", createConcurrent, false},
	{"create against settings", createAgainstSettings, false},
	{"odd text", oddText, false},
	{"update", update, false},
	{"update stale", updateStale, false},
	{"update concurrent", updateConcurrent, false},
	{"update idempotent race", updateIdempotentRace, false},
	{"update many", updateMany, false},
	{"ranks", ranks, false},
	{"ranks concurrent", ranksConcurrent, false},
	{"structure", structure, false},
	{"structure concurrent", structureConcurrent, false},
	{"relations", relations, false},
	{"relation cycles concurrent", cyclesConcurrent, false},
	{"comments", comments, false},
	{"recurrence", recurrence, false},
	{"details", details, false},
	{"history", taskHistory, false},
	{"ended context", endedContext, false},
	{"caller gone", callerGone, false},
	{"filters", filters, false},
	{"search", search, false},
	{"lists", lists, false},
	{"list property", listProperty, false},
	{"many projects", manyProjects, false},
	{"bad cursors", badCursors, false},
	{"relay", relay, true},
	{"relay concurrent", relayConcurrent, true},
	{"relay during imports", relayDuringImports, true},
	{"relay fenced", relayFenced, true},
	{"forget idempotency", forget, true},
	{"time travel", timeTravel, false},
	{"import", imports, false},
	{"import ranks", importRanks, false},
	{"exports", exports, false},
}
