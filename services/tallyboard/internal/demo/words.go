package demo

type seedTitle struct {
	text   string
	labels []string
	bug    bool
}

func feature(text string, labels ...string) seedTitle { return seedTitle{text: text, labels: labels} }

func bug(text string, labels ...string) seedTitle {
	return seedTitle{text: text, labels: append([]string{"bug"}, labels...), bug: true}
}

// labelColors of every label the stories use.
var labelColors = map[string]string{"bug": "#d1453b", "api": "#3b7dd1", "ui": "#8e5bd0", "infra": "#4f7a5c", "docs": "#b07d2b", "security": "#a8324f", "performance": "#2b8fa3"}

var titles = []seedTitle{
	bug("Login fails when the email has a plus sign", "api"),
	feature("Export invoices as CSV", "api"),
	feature("Dark theme for the settings page", "ui"),
	bug("Search forgets the filter after going back", "ui"),
	feature("Rotate database credentials without downtime", "infra", "security"),
	feature("Describe the webhook retry policy", "docs"),
	feature("Keyboard shortcuts for the inbox", "ui"),
	bug("Timezone of due dates is off by one on Fridays", "api"),
	feature("Upgrade the queue client", "infra"),
	feature("Rate limit password resets", "api", "security"),
	feature("Cache the project list for a second", "performance"),
	bug("Avatar upload hangs at 99 %", "ui"),
	feature("Onboarding checklist for new teams", "ui"),
	feature("Alert on replica lag", "infra"),
	bug("Two tabs overwrite each other's draft", "ui"),
	feature("Paginate the audit log", "api", "performance"),
	feature("Explain the permission model", "docs"),
	feature("Invite by link with expiry", "api", "security"),
	bug("PDF report cuts long titles", "ui"),
	feature("Move background jobs to their own pool", "infra", "performance"),
	feature("Show who is viewing a document", "ui"),
	bug("Mail notifications arrive twice", "api"),
	feature("Archive projects", "api", "ui"),
	feature("Blue-green deployment for the gateway", "infra"),
	bug("Sorting by name ignores umlauts", "api"),
	feature("Bulk edit of labels", "ui"),
	feature("Trim the bundle of the landing page", "performance", "ui"),
	feature("Single sign-on for enterprise teams", "security", "api"),
	bug("Scroll jumps when an image loads", "ui"),
	feature("Runbook for a failed migration", "docs", "infra"),
	feature("Usage report by month", "api"),
	bug("Session cookie lost behind the new proxy", "security"),
	feature("Inline comments in reviews", "ui"),
	feature("Drop support for the v1 API", "api"),
	bug("Import stops at an empty row", "api"),
	feature("Compress backups", "infra"),
	feature("Offline mode for the mobile page", "ui"),
	feature("Load test of the checkout", "performance"),
	bug("Chart shows yesterday as today in Auckland", "ui"),
	feature("Style guide for error messages", "docs"),
}

var followUps = []string{"", "Follow-up: ", "Second part: ", "Revisit: "}

var descriptions = []string{
	"Reported by two customers this week.\n\n- [ ] reproduce\n- [ ] fix\n- [ ] tell support",
	"See the notes of the planning meeting. The smallest thing that helps is enough.",
	"**Why:** it is the most frequent question in the channel.\n\n**Done when** a new team finds it without asking.",
	"Acceptance:\n\n1. works with the keyboard\n2. works on a phone\n3. has a test that fails without it",
}

var remarks = []string{
	"Looks good, one question about the error case.",
	"Could we have a test for the empty list?",
	"I would rather not add a dependency for this.",
	"Works on my machine and on staging.",
	"@ada can you have a look at the naming?",
	"Measured it: half the time it took before.",
	"Please split the migration from the change.",
	"Nice. Ship it.",
}
