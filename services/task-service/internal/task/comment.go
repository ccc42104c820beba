package task

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
	"github.com/tallyboard/tallyboard/services/task-service/internal/history"
)

// mention finds @handles that do not stand inside a word or an address.
var mention = regexp.MustCompile(`(?:^|[^\pL\pN_@./-])@([A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9_])?)`)

// MentionsIn returns the handles a Markdown text mentions, lower case, without duplicates, outside of code.
func MentionsIn(body string) []string {
	var out []string
	for _, m := range mention.FindAllStringSubmatch(withoutCode(body), -1) {
		if h := strings.ToLower(m[1]); !slices.Contains(out, h) && len(out) < MaxMentions {
			out = append(out, h)
		}
	}
	return out
}

var (
	fenced = regexp.MustCompile("(?ms)^ {0,3}```.*?(?:^ {0,3}```[^\n]*$|\\z)")
	inline = regexp.MustCompile("`[^`\n]*`")
)

func withoutCode(body string) string {
	if !strings.Contains(body, "`") {
		return body
	}
	return inline.ReplaceAllString(fenced.ReplaceAllString(body, " "), " ")
}

// CommentBody checks a comment's text and returns it as stored.
func CommentBody(body string) (string, error) {
	var f faults
	body = f.text("body", body, MaxComment)
	if len(f) == 0 && strings.TrimSpace(body) == "" {
		f.addf("body", "must not be empty")
	}
	return body, f.err()
}

// AddComment stores a comment and records it. body has been checked by CommentBody.
func (t *Task) AddComment(ctx context.Context, tx Tx, env Env, id uuid.UUID, body string, mentions []uuid.UUID) (Comment, error) {
	if err := t.writable(env); err != nil {
		return Comment{}, err
	}
	c := Comment{ID: id, TaskID: t.ID, Author: env.Actor, Body: body, Mentions: mentions, Created: t.at(env)}
	if err := tx.PutComment(ctx, c); err != nil {
		return Comment{}, err
	}
	t.record(env, history.CommentAdded, commentChanges(Comment{ID: id}, c))
	return c, nil
}

// EditComment replaces the text of one's own comment.
func (t *Task) EditComment(ctx context.Context, tx Tx, env Env, id uuid.UUID, body string, mentions []uuid.UUID) (Comment, error) {
	if err := t.writable(env); err != nil {
		return Comment{}, err
	}
	was, err := tx.Comment(ctx, id)
	if err != nil {
		return Comment{}, err
	}
	if was.Author != env.Actor {
		return Comment{}, apperr.New(apperr.Forbidden, "Only its author can edit a comment.")
	}
	if was.Body == body {
		return was, nil
	}
	c, at := was, t.at(env)
	c.Body, c.Mentions, c.Edited = body, mentions, &at
	if err := tx.PutComment(ctx, c); err != nil {
		return Comment{}, err
	}
	t.record(env, history.CommentEdited, commentChanges(was, c))
	return c, nil
}

// RemoveComment removes one's own comment; owners of the project may remove any.
func (t *Task) RemoveComment(ctx context.Context, tx Tx, env Env, id uuid.UUID) error {
	if err := t.writable(env); err != nil {
		return err
	}
	was, err := tx.Comment(ctx, id)
	if err != nil {
		return err
	}
	if was.Author != env.Actor && !env.Project.OwnedBy(env.Actor) {
		return apperr.New(apperr.Forbidden, "Only its author and the project's owners can remove a comment.")
	}
	if err := tx.DropComment(ctx, id); err != nil {
		return err
	}
	t.record(env, history.CommentRemoved, commentChanges(was, Comment{ID: id}))
	return nil
}

// commentChanges lists the comment's id and what differs between two of its states; an empty body is no comment.
func commentChanges(before, after Comment) []history.Change {
	out := []history.Change{history.NewChange(history.FieldComment, idIf(before.Body != "", before.ID), idIf(after.Body != "", after.ID))}
	out = append(out, history.NewChange(history.FieldBody, textOrNil(before.Body), textOrNil(after.Body)))
	if !slices.Equal(before.Mentions, after.Mentions) {
		out = append(out, history.NewChange(history.FieldMentions, idsOrNil(before.Mentions), idsOrNil(after.Mentions)))
	}
	return out
}

func idIf(there bool, id uuid.UUID) any {
	if !there {
		return nil
	}
	return id
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func idsOrNil(ids []uuid.UUID) any {
	if len(ids) == 0 {
		return nil
	}
	return ids
}
