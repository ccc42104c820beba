// Code generated from task-service/api/openapi.yaml by npm run generate. DO NOT EDIT.

export interface paths {
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is calling */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All people, by handle */
        get: operations["listPeople"];
        put?: never;
        /** Add a person */
        post: operations["createPerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people/{person}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a person. */
                person: components["parameters"]["Person"];
            };
            cookie?: never;
        };
        /** One person */
        get: operations["getPerson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The projects the caller may see, by key */
        get: operations["listProjects"];
        put?: never;
        /**
         * Create a project
         * @description Without `states` the project starts with Backlog, To do, In progress, Done and Cancelled. The caller becomes its owner.
         */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** One project */
        get: operations["getProject"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change name, description or archive
         * @description An archived project is read-only until `archived` is set back to false.
         */
        patch: operations["changeProject"];
        trace?: never;
    };
    "/api/v1/projects/{key}/states": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a state (a column of the board) */
        post: operations["addState"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/states/{state}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a state. */
                state: components["parameters"]["State"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Archive a state
         * @description A state that still has tasks (trashed ones included) is refused with 409. It stays known, because history names it.
         */
        delete: operations["archiveState"];
        options?: never;
        head?: never;
        /**
         * Rename, limit, move or bring back a state
         * @description The category of a state never changes, because past statistics rest on it.
         */
        patch: operations["changeState"];
        trace?: never;
    };
    "/api/v1/projects/{key}/labels": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a label */
        post: operations["addLabel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/labels/{label}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a label. */
                label: components["parameters"]["Label"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a label
         * @description Tasks keep the id of a removed label in their history only; readers leave out labels the project no longer has.
         */
        delete: operations["removeLabel"];
        options?: never;
        head?: never;
        /** Rename, recolour or move a label */
        patch: operations["changeLabel"];
        trace?: never;
    };
    "/api/v1/projects/{key}/members/{person}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a person. */
                person: components["parameters"]["Person"];
            };
            cookie?: never;
        };
        get?: never;
        /** Make a person a member, or change the role */
        put: operations["setMember"];
        post?: never;
        /**
         * Remove a member
         * @description The last owner cannot be removed (422).
         */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/views": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** Shared views and the caller's own */
        get: operations["listViews"];
        put?: never;
        /** Save a view */
        post: operations["createView"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/views/{view}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a view. */
                view: components["parameters"]["View"];
            };
            cookie?: never;
        };
        get?: never;
        /** Replace a view */
        put: operations["replaceView"];
        post?: never;
        /** Remove a view */
        delete: operations["removeView"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** Tasks of a project */
        get: operations["listTasks"];
        put?: never;
        /**
         * Create a task
         * @description Either with `title` and fields, or with `quick`, one line such as `Fix login !1 @me #bug tomorrow ^WEB-12`; fields
         *     given beside `quick` are used where the line says nothing. Without `state` the task starts in the first state of
         *     category backlog or todo, in board order.
         */
        post: operations["createTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/tasks/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change many tasks in one transaction, all or none
         * @description Name the tasks, or give a filter; then exactly one of `change`, `trash` and `restore`.
         */
        post: operations["bulkEdit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/quickadd/parse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a quick-add line would create */
        post: operations["parseQuickAdd"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/board": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /**
         * The board, now or as it stood at a moment
         * @description Everything the board needs in one answer, at most 5,000 cards in order of rank. `pos` is where a live stream goes on.
         *     With `at` settings and tasks are those of that moment.
         */
        get: operations["getBoard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** Events of a project in their total order */
        get: operations["projectHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/events": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /**
         * Live events of a project (server-sent events)
         * @description A stream of server-sent events. The first one is `ready` with the position the stream has reached: `after` or
         *     `Last-Event-ID` if given, else the newest. Then
         *
         *     - one event per change, its `id` the position, its type the kind (`task.changed` …), its data an `Event` with the
         *       task (`snapshot`) or the project (`settings`) as it is now. Apply a snapshot if its version is at least the one you have;
         *       `traceparent` is there if the trace of the change is recorded;
         *     - `stale` with `{"since": …}` while live delivery is interrupted, and `ready` again once it has caught up by itself;
         *     - `reset` with `{"pos": …}` when the position asked for is unknown here (a backup was restored): reload the board;
         *       the stream goes on behind `pos`.
         *
         *     Comments (`:`) are heartbeats. Reconnect with the last id: nothing is lost and nothing comes twice.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/import": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import tasks with their history
         * @description The body is streamed and may be up to 64 MiB. Importing the same rows again adds nothing. With
         *     `Accept: application/x-ndjson` the answer is a stream of `ImportProgress` lines, the last one of type `report` (or
         *     `problem`, when it broke off; what was imported until then stays, and repeating the import completes it).
         *     For CSV, `map.<field>` names the column of a field where the header differs from the field's own name.
         */
        post: operations["importTasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{key}/export": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /**
         * The whole project
         * @description `json` is complete (settings, tasks, comments, relations, history) and can be imported again; `csv` has one row per task.
         */
        get: operations["exportProject"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tasks of all projects the caller may see */
        get: operations["listAllTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        /** One task */
        get: operations["getTask"];
        put?: never;
        post?: never;
        /** Move a task to the trash */
        delete: operations["trashTask"];
        options?: never;
        head?: never;
        /**
         * Change fields of a task
         * @description Members left out stay as they are; null clears a field that may be empty.
         */
        patch: operations["changeTask"];
        trace?: never;
    };
    "/api/v1/tasks/{ref}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a task out of the trash */
        post: operations["restoreTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}/move": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a task to another state or place
         * @description At most one of `after`, `before`, `top` and `bottom`; without any the task keeps its place in the order.
         */
        post: operations["moveTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}/details": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        /** What the task panel shows: subtasks, relations, comments */
        get: operations["getTaskDetails"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        /** What happened to a task, newest first */
        get: operations["taskHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}/comments": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Comment on a task
         * @description `@handle` in the text mentions a person. Comments do not change the version of the task.
         */
        post: operations["addComment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{ref}/comments/{comment}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description Id of a comment. */
                comment: components["parameters"]["Comment"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a comment
         * @description One's own; project owners may remove anybody's.
         */
        delete: operations["removeComment"];
        options?: never;
        head?: never;
        /** Edit one's own comment */
        patch: operations["editComment"];
        trace?: never;
    };
    "/api/v1/tasks/{ref}/relations/{kind}/{other}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description How the first task stands to the other. */
                kind: components["parameters"]["RelationKind"];
                /**
                 * @description The other task, by its id or by key and number.
                 * @example WEB-43
                 */
                other: components["parameters"]["Other"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Relate two tasks of one project
         * @description Putting a relation that exists already changes nothing. Cycles of blocks and of duplicates are refused (422).
         */
        put: operations["relate"];
        post?: never;
        /** Remove a relation */
        delete: operations["unrelate"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find traces
         * @description The newest traces that match all that is asked, newest first. They come from the memory of this process or from a
         *     Jaeger, see `/api/v1/traces/settings`; the former forgets the oldest.
         */
        get: operations["searchTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which service calls which
         * @description Counted from the kept traces, which are a sample: rates and shares are right, totals are not.
         */
        get: operations["getTraceGraph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where traces come from */
        get: operations["getTraceSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/traces/{traceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One trace */
        get: operations["getTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How every instance is
         * @description Asked of all instances of both services at once; who does not answer within half a second is missing. While NATS
         *     is away only the answering instance is known, and `natsAway` says so. Routes are merged over the instances of a
         *     service and count from the start of each.
         */
        get: operations["getOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["getSpec"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description as a page to read */
        get: operations["getDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether this instance can serve
         * @description 200 when ready (also when degraded, for instance without NATS), 503 when not.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics for Prometheus */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pool-stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The database pool of this instance */
        get: operations["getPoolStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description RFC 9457 problem details.
         * @example {
         *       "type": "/problems/invalid",
         *       "title": "Invalid request",
         *       "status": 400,
         *       "detail": "filter: there is no field colour",
         *       "instance": "/api/v1/projects/WEB/tasks",
         *       "code": "invalid",
         *       "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
         *       "errors": [
         *         {
         *           "name": "filter",
         *           "message": "there is no field colour",
         *           "position": 12
         *         }
         *       ]
         *     }
         */
        Problem: {
            /** @description URI reference that names the kind of problem. */
            type: string;
            title: string;
            status: number;
            /** @description One sentence for people. */
            detail?: string;
            /** @description Path of the request. */
            instance?: string;
            /** @description Stable name of the kind, such as `stale-version`. */
            code: string;
            traceId?: string;
            errors?: components["schemas"]["ProblemField"][];
            /** @description With `stale-version`: the thing as it is now. */
            current?: {
                [key: string]: unknown;
            };
        };
        ProblemField: {
            /** @description Query parameter, header or path of a JSON member, such as `assignees[2]`. */
            name: string;
            message: string;
            /** @description Byte offset of the fault in the text that was parsed. */
            position?: number;
        };
        Me: {
            person: components["schemas"]["Person"];
            siteAdmin: boolean;
        };
        People: {
            people: components["schemas"]["Person"][];
        };
        /**
         * @example {
         *       "id": "00000000-0000-7000-8000-000000000001",
         *       "handle": "owner",
         *       "name": "Owner",
         *       "kind": "member",
         *       "created": "2026-01-05T09:00:00Z"
         *     }
         */
        Person: {
            /** Format: uuid */
            id: string;
            /** @description Unique; used in @mentions and filters. */
            handle: string;
            name: string;
            /**
             * @description `imported`: named by an import only.
             * @enum {string}
             */
            kind: "member" | "imported" | "system";
            /** Format: date-time */
            created: string;
        };
        /**
         * @example {
         *       "handle": "ada",
         *       "name": "Ada Lovelace"
         *     }
         */
        PersonNew: {
            handle: string;
            name: string;
        };
        /**
         * @description What a state means for statistics.
         * @enum {string}
         */
        Category: "backlog" | "todo" | "doing" | "done" | "cancelled";
        /** @enum {string} */
        Role: "owner" | "editor" | "commenter" | "viewer";
        State: {
            /** Format: uuid */
            id: string;
            name: string;
            category: components["schemas"]["Category"];
            /** @description A warning, never a refusal. */
            wipLimit: number | null;
            archived: boolean;
        };
        /**
         * @example {
         *       "name": "Review",
         *       "category": "doing",
         *       "wipLimit": 3
         *     }
         */
        StateNew: {
            /** @description Unique in the project, ignoring case. */
            name: string;
            category: components["schemas"]["Category"];
            wipLimit?: number | null;
            /** @description Place among the states that are not archived; otherwise behind the last of its category. */
            position?: number;
        };
        /**
         * @example {
         *       "position": 2
         *     }
         */
        StatePatch: {
            name?: string;
            wipLimit?: number | null;
            position?: number;
            /** @description A state that still has tasks cannot be archived (409). */
            archived?: boolean;
        };
        Label: {
            /** Format: uuid */
            id: string;
            name: string;
            color: string;
        };
        /**
         * @example {
         *       "name": "bug",
         *       "color": "#d73a4a"
         *     }
         */
        LabelNew: {
            /** @description Unique in the project, ignoring case. */
            name: string;
            /** @description Otherwise the next of a palette. */
            color?: string;
        };
        /**
         * @example {
         *       "color": "#0052cc"
         *     }
         */
        LabelPatch: {
            name?: string;
            color?: string;
            position?: number;
        };
        Member: {
            /** Format: uuid */
            person: string;
            role: components["schemas"]["Role"];
        };
        /**
         * @example {
         *       "role": "editor"
         *     }
         */
        MemberRole: {
            role: components["schemas"]["Role"];
        };
        Projects: {
            projects: components["schemas"]["Project"][];
        };
        Project: {
            /** Format: uuid */
            id: string;
            key: string;
            name: string;
            description: string;
            /** @description Board order, archived ones last. */
            states: components["schemas"]["State"][];
            labels: components["schemas"]["Label"][];
            members: components["schemas"]["Member"][];
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            updated: string;
            /**
             * Format: date-time
             * @description Read-only since.
             */
            archived: string | null;
        };
        /**
         * @example {
         *       "key": "WEB",
         *       "name": "Website",
         *       "description": "Everything the visitors see."
         *     }
         */
        ProjectNew: {
            /** @description Never changes; tasks are called KEY-1, KEY-2 … */
            key: string;
            name: string;
            description?: string;
            states?: components["schemas"]["StateNew"][];
            labels?: components["schemas"]["LabelNew"][];
            /** @description Beside the caller. */
            members?: components["schemas"]["Member"][];
        };
        /**
         * @example {
         *       "name": "Website and shop"
         *     }
         */
        ProjectPatch: {
            name?: string;
            description?: string;
            archived?: boolean;
        };
        /** @enum {string} */
        Layout: "board" | "list" | "calendar" | "timeline";
        /** @enum {string} */
        GroupBy: "" | "state" | "assignee" | "priority" | "label";
        Views: {
            views: components["schemas"]["View"][];
        };
        View: {
            /** Format: uuid */
            id: string;
            name: string;
            filter: string;
            layout: components["schemas"]["Layout"];
            groupBy: components["schemas"]["GroupBy"];
            sort: string;
            /** Format: uuid */
            owner: string;
            /** @description Everyone in the project sees it. */
            shared: boolean;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            updated: string;
        };
        /**
         * @example {
         *       "name": "My bugs",
         *       "filter": "label:bug assignee:me is:open",
         *       "layout": "list",
         *       "sort": "-updated"
         *     }
         */
        ViewNew: {
            name: string;
            /** @description Checked when saved. */
            filter?: string;
            layout?: components["schemas"]["Layout"];
            groupBy?: components["schemas"]["GroupBy"];
            /** @description As in task lists, such as `-updated`. */
            sort?: string;
            /** @default false */
            shared: boolean;
        };
        /** @description 0 none, 1 urgent, 2 high, 3 medium, 4 low. */
        Priority: number;
        /**
         * @example {
         *       "id": "0197a2a4-7c1e-7d53-9a43-5b1d7d7f2a10",
         *       "key": "WEB-42",
         *       "project": "WEB",
         *       "number": 42,
         *       "title": "Fix login",
         *       "description": "The button does **nothing**.",
         *       "state": "0197a2a4-0000-7000-8000-000000000003",
         *       "rank": "a1V",
         *       "priority": 1,
         *       "assignees": [
         *         "00000000-0000-7000-8000-000000000001"
         *       ],
         *       "labels": [],
         *       "start": null,
         *       "due": "2026-12-01",
         *       "estimate": 3,
         *       "parent": null,
         *       "recurrence": null,
         *       "version": 7,
         *       "created": "2026-11-02T08:15:00.123456Z",
         *       "createdBy": "00000000-0000-7000-8000-000000000001",
         *       "updated": "2026-11-20T10:00:00Z",
         *       "updatedBy": "00000000-0000-7000-8000-000000000001",
         *       "started": "2026-11-19T07:30:00Z",
         *       "completed": null,
         *       "trashed": null
         *     }
         */
        Task: {
            /** Format: uuid */
            id: string;
            /** @description Project key and number. */
            key: string;
            /** @description Key of the project. */
            project: string;
            /** Format: int64 */
            number: number;
            title: string;
            /** @description Markdown. */
            description: string;
            /** Format: uuid */
            state: string;
            /** @description Order on the board; compare by byte. */
            rank: string;
            priority: components["schemas"]["Priority"];
            assignees: string[];
            labels: string[];
            /** Format: date */
            start: string | null;
            /** Format: date */
            due: string | null;
            estimate: number | null;
            /** Format: uuid */
            parent: string | null;
            /** @description RRULE (RFC 5545) without DTSTART. */
            recurrence: string | null;
            /**
             * Format: int64
             * @description Counts changes of fields; the ETag.
             */
            version: number;
            /** Format: date-time */
            created: string;
            /** Format: uuid */
            createdBy: string;
            /** Format: date-time */
            updated: string;
            /** Format: uuid */
            updatedBy: string;
            /**
             * Format: date-time
             * @description First entry into a doing state.
             */
            started: string | null;
            /**
             * Format: date-time
             * @description Entry into its present done state.
             */
            completed: string | null;
            /**
             * Format: date-time
             * @description In the trash since.
             */
            trashed: string | null;
            progress?: components["schemas"]["Progress"];
        };
        /** @description Subtasks that are not in the trash. */
        Progress: {
            done: number;
            total: number;
        };
        TaskPage: {
            tasks: components["schemas"]["Task"][];
            /** @description Cursor of the next page; null on the last one. */
            next: string | null;
            /**
             * Format: int64
             * @description Position read before the tasks: live events behind it may be newer than this page.
             */
            pos: number;
        };
        /**
         * @description Exactly one of `title` and `quick`.
         * @example {
         *       "title": "Fix login",
         *       "priority": 1,
         *       "due": "2026-12-01"
         *     }
         */
        TaskNew: {
            title?: string;
            /** @description A quick-add line. */
            quick?: string;
            description?: string;
            /** Format: uuid */
            state?: string;
            priority?: components["schemas"]["Priority"];
            assignees?: string[];
            labels?: string[];
            /** Format: date */
            start?: string | null;
            /** Format: date */
            due?: string | null;
            estimate?: number | null;
            /** Format: uuid */
            parent?: string | null;
            recurrence?: string | null;
            /**
             * Format: uuid
             * @description Directly behind this task. At most one of the four.
             */
            after?: string;
            /**
             * Format: uuid
             * @description Directly in front of this task.
             */
            before?: string;
            top?: boolean;
            /** @description Where new tasks go anyway. */
            bottom?: boolean;
        };
        /**
         * @example {
         *       "title": "Fix the login",
         *       "due": null
         *     }
         */
        TaskPatch: {
            title?: string;
            description?: string;
            /** Format: uuid */
            state?: string;
            priority?: components["schemas"]["Priority"];
            assignees?: string[];
            labels?: string[];
            /** Format: date */
            start?: string | null;
            /** Format: date */
            due?: string | null;
            estimate?: number | null;
            /** Format: uuid */
            parent?: string | null;
            recurrence?: string | null;
        };
        /**
         * @example {
         *       "state": "0197a2a4-0000-7000-8000-000000000004",
         *       "top": true
         *     }
         */
        TaskMove: {
            /** Format: uuid */
            state?: string;
            /**
             * Format: uuid
             * @description Directly behind this task.
             */
            after?: string;
            /**
             * Format: uuid
             * @description Directly in front of this task.
             */
            before?: string;
            top?: boolean;
            bottom?: boolean;
        };
        /**
         * @description One of `tasks` and `filter`, and one of `change`, `trash` and `restore`.
         * @example {
         *       "tasks": [
         *         "WEB-1",
         *         "WEB-2"
         *       ],
         *       "change": {
         *         "priority": 2
         *       }
         *     }
         */
        BulkEdit: {
            /** @description Ids or KEY-number. */
            tasks?: string[];
            /** @description All tasks it matches; more than 500 are refused (422). */
            filter?: string;
            change?: components["schemas"]["BulkChange"];
            /** @enum {boolean} */
            trash?: true;
            /** @enum {boolean} */
            restore?: true;
        };
        BulkChange: {
            /** Format: uuid */
            state?: string;
            priority?: components["schemas"]["Priority"];
            assignees?: string[];
            addAssignees?: string[];
            removeAssignees?: string[];
            labels?: string[];
            addLabels?: string[];
            removeLabels?: string[];
            /** Format: date */
            start?: string | null;
            /** Format: date */
            due?: string | null;
            estimate?: number | null;
            /** Format: uuid */
            parent?: string | null;
        };
        BulkResult: {
            tasks: components["schemas"]["Task"][];
        };
        /**
         * @example {
         *       "text": "Fix login !1 @me #bug tomorrow ^WEB-12"
         *     }
         */
        QuickText: {
            text: string;
        };
        QuickParsed: {
            /** @description The line without its tokens. What names nothing known stays in it. */
            title: string;
            /** Format: uuid */
            state: string | null;
            priority: components["schemas"]["Priority"];
            assignees: string[];
            labels: string[];
            /** Format: date */
            due: string | null;
            /** Format: uuid */
            parent: string | null;
            /** @description By position. */
            tokens: components["schemas"]["QuickToken"][];
        };
        QuickToken: {
            /** @enum {string} */
            kind: "priority" | "assignee" | "label" | "due" | "time" | "parent" | "state";
            /** @description Byte offset of its first byte. */
            start: number;
            /** @description Byte offset behind its last byte. */
            end: number;
            /** @description Without its mark: a handle, a name, a date, a key, a digit. */
            value: string;
        };
        Board: {
            project: components["schemas"]["Project"];
            tasks: components["schemas"]["Card"][];
            /**
             * Format: int64
             * @description Live events behind it may be newer than this board.
             */
            pos: number;
            /** @description There are more tasks than a board carries; use a filter. */
            truncated: boolean;
        };
        /** @description A task without its description. */
        Card: {
            /** Format: uuid */
            id: string;
            key: string;
            project: string;
            /** Format: int64 */
            number: number;
            title: string;
            hasDescription: boolean;
            /** Format: uuid */
            state: string;
            rank: string;
            priority: components["schemas"]["Priority"];
            assignees: string[];
            labels: string[];
            /** Format: date */
            start: string | null;
            /** Format: date */
            due: string | null;
            estimate: number | null;
            /** Format: uuid */
            parent: string | null;
            recurrence: string | null;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            created: string;
            /** Format: uuid */
            createdBy: string;
            /** Format: date-time */
            updated: string;
            /** Format: uuid */
            updatedBy: string;
            /** Format: date-time */
            started: string | null;
            /** Format: date-time */
            completed: string | null;
            /** Format: date-time */
            trashed: string | null;
            subtasks: components["schemas"]["Progress"];
        };
        /** @enum {string} */
        RelationKind: "blocks" | "blocked-by" | "relates" | "duplicates" | "duplicated-by";
        Relation: {
            kind: components["schemas"]["RelationKind"];
            /**
             * Format: uuid
             * @description The other task.
             */
            task: string;
            /** Format: date-time */
            created: string;
        };
        TaskDetails: {
            task: components["schemas"]["Task"];
            /** @description By rank. */
            subtasks: components["schemas"]["Task"][];
            /** @description As seen from this task. */
            relations: components["schemas"]["Relation"][];
            /** @description The tasks relations name and the parent. */
            related: components["schemas"]["Task"][];
            /** @description Oldest first. */
            comments: components["schemas"]["Comment"][];
        };
        Comment: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            task: string;
            /** Format: uuid */
            author: string;
            /** @description Markdown. */
            body: string;
            mentions: string[];
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            edited: string | null;
        };
        /**
         * @example {
         *       "body": "@ada can you have a look?"
         *     }
         */
        CommentBody: {
            body: string;
        };
        Change: {
            field: string;
            /** @description Absent where there was nothing. */
            before?: unknown;
            /** @description Absent where there is nothing. */
            after?: unknown;
        };
        Event: {
            /**
             * Format: int64
             * @description Place in the total order; 0 for the moment before it has one.
             */
            pos: number;
            /** @description Key of the project. */
            project: string;
            /** @enum {string} */
            aggregate: "task" | "project";
            /**
             * Format: uuid
             * @description Null for project events.
             */
            task: string | null;
            /**
             * Format: int64
             * @description Counts the events of this task or project.
             */
            seq: number;
            /** @description task.created, task.changed, task.trashed, task.restored, comment.added, comment.edited, comment.removed, relation.added, relation.removed, project.created, project.changed, view.saved, view.removed */
            kind: string;
            /** Format: uuid */
            actor: string;
            changes: components["schemas"]["Change"][];
            /** Format: date-time */
            occurred: string;
            /**
             * Format: date-time
             * @description Differs from occurred for imports.
             */
            recorded: string;
            /** @description Trace of the request that made the change. */
            traceId: string | null;
            /**
             * @description W3C traceparent of the span that delivers the event to the live streams of a replica; a receiver continues the trace
             *     with it. Only in live streams, only while the trace is recorded, and not for events that a resumed stream makes up for.
             */
            traceparent?: string;
            snapshot?: components["schemas"]["Task"];
            settings?: components["schemas"]["Project"];
        };
        EventPage: {
            events: components["schemas"]["Event"][];
            /**
             * Format: int64
             * @description `after` of the next page; null at the end.
             */
            next: number | null;
            /**
             * Format: int64
             * @description Highest position given so far.
             */
            head: number;
        };
        TaskHistory: {
            events: components["schemas"]["Event"][];
            /**
             * Format: int64
             * @description `before` of the next page; null at the end.
             */
            next: number | null;
        };
        ImportReport: {
            dryRun: boolean;
            /** @enum {string} */
            format: "csv" | "jira-changelog" | "tallyboard";
            /**
             * Format: int64
             * @description Rows read.
             */
            rows: number;
            /**
             * Format: int64
             * @description Tasks that were (or would be) added.
             */
            tasks: number;
            /**
             * Format: int64
             * @description Tasks left out because an earlier import added them.
             */
            known: number;
            /**
             * Format: int64
             * @description Events written with the added tasks.
             */
            events: number;
            /**
             * Format: int64
             * @description Rows whose created date was put at their finish.
             */
            clamped: number;
            /** Format: int64 */
            refusedRows: number;
            /** @description The first 100 refused rows. */
            refused: components["schemas"]["ImportRefusal"][];
            /** @description Handles created. */
            people: string[];
            /** @description Names created. */
            states: string[];
            /** @description Names created. */
            labels: string[];
            /** @description Field to the column used for it. */
            columns?: {
                [key: string]: string;
            };
            unusedColumns?: string[];
        };
        ImportRefusal: {
            /**
             * Format: int64
             * @description Line of the file on which the row starts; the header is line 1.
             */
            line: number;
            id?: string;
            reason: string;
        };
        ImportProgress: {
            /** @enum {string} */
            type: "progress" | "report" | "problem";
            /**
             * Format: int64
             * @description Rows worked on so far.
             */
            rows?: number;
            /**
             * Format: int64
             * @description Rows of the file; 0 while it is read for the first time.
             */
            totalRows?: number;
            /**
             * Format: int64
             * @description Bytes of the file read for the first time so far.
             */
            bytes?: number;
            /**
             * Format: int64
             * @description Tasks stored so far.
             */
            tasks?: number;
            report?: components["schemas"]["ImportReport"];
            problem?: components["schemas"]["Problem"];
        };
        TraceList: {
            source: components["schemas"]["TraceSource"];
            /** @description Newest first. */
            traces: components["schemas"]["TraceSummary"][];
        };
        /**
         * @description `buffer`: memory of this process; `jaeger`: a Jaeger; `none`: traces are not kept where this service can read them.
         * @enum {string}
         */
        TraceSource: "buffer" | "jaeger" | "none";
        TraceSummary: {
            traceId: string;
            /** @description Of the root span. */
            name: string;
            /** @description Of the root span. */
            service: string;
            /** Format: date-time */
            start: string;
            /** @description From the first start to the last end, work after the answer included. */
            durationMs: number;
            spans: number;
            /** @description Those that took part, in alphabetical order. */
            services: string[];
            /** @description Whether any span failed. */
            error: boolean;
            /** @description HTTP status of the request. */
            status: number | null;
            /** @description Method and path template of the request. */
            route: string | null;
        };
        TraceSettings: {
            source: components["schemas"]["TraceSource"];
            /** @description Traces kept at most; null where that is not known. */
            capacity: number | null;
            /** @description Page of a trace in another console; `{traceId}` stands for the id. */
            externalUrl: string | null;
        };
        Attributes: {
            [key: string]: unknown;
        };
        Trace: {
            traceId: string;
            /** Format: date-time */
            start: string;
            durationMs: number;
            /** @description Parents before their children, siblings by start. */
            spans: components["schemas"]["Span"][];
            /**
             * @description In order of time: what the end of the trace's last work waited for. Pieces do not overlap; a gap is time in which
             *     nothing worked, such as waiting in a queue.
             */
            criticalPath: components["schemas"]["TraceSegment"][];
            /** @description Spans whose parent is not in the trace. */
            orphans: number;
            /** @description Spans left out, because the trace had too many. */
            dropped: number;
            /** @description Traces with a link to this one, newest first. */
            linkedBy: string[];
        };
        TraceSegment: {
            spanId: string;
            offsetMs: number;
            durationMs: number;
        };
        Span: {
            spanId: string;
            parentId: string | null;
            service: string;
            /** @description Empty where it is not known. */
            instance: string;
            name: string;
            /** @enum {string} */
            kind: "internal" | "server" | "client" | "producer" | "consumer";
            /** Format: date-time */
            start: string;
            /** @description Since the start of the trace. */
            offsetMs: number;
            durationMs: number;
            /** @description What was added to the start, because the clock of this service differs; 0 if nothing was. */
            adjustedMs: number;
            error: boolean;
            statusMessage: string;
            attributes: components["schemas"]["Attributes"];
            events: components["schemas"]["SpanEvent"][];
            links: components["schemas"]["SpanLink"][];
        };
        SpanEvent: {
            name: string;
            /** @description Since the start of the trace. */
            offsetMs: number;
            attributes: components["schemas"]["Attributes"];
        };
        SpanLink: {
            traceId: string;
            spanId: string;
        };
        TraceGraph: {
            nodes: components["schemas"]["TraceNode"][];
            edges: components["schemas"]["TraceEdge"][];
        };
        TraceNode: {
            /** @description A service, or the name of a database system. */
            service: string;
            /** @description Requests and messages taken in. */
            calls: number;
            errors: number;
            p95Ms: number;
        };
        TraceEdge: {
            from: string;
            to: string;
            /** @enum {string} */
            kind: "http" | "messaging" | "db";
            calls: number;
            errors: number;
            p95Ms: number;
        };
        Operations: {
            /** Format: date-time */
            at: string;
            /** @description Instances could not be asked; only the answering one is listed. */
            natsAway: boolean;
            /** @description By service and instance. */
            instances: components["schemas"]["InstanceStatus"][];
            /** @description By service and route. */
            routes: components["schemas"]["RouteStatus"][];
        };
        InstanceStatus: {
            service: string;
            instance: string;
            version: string;
            /** Format: date-time */
            startedAt: string;
            ready: boolean;
            /** @enum {string} */
            nats: "connected" | "away";
            pools: components["schemas"]["PoolStatus"][];
            relay: components["schemas"]["RelayStatus"] | null;
            consumer: components["schemas"]["ConsumerStatus"] | null;
            live: components["schemas"]["LiveStatus"] | null;
            goroutines: number;
            /** Format: int64 */
            heapBytes: number;
        };
        PoolStatus: {
            name: string;
            engine: string;
            max: number;
            inUse: number;
            idle: number;
            /**
             * Format: int64
             * @description Times somebody waited for a connection.
             */
            waitCount: number;
            /** @description Time spent waiting since the start. */
            waitMs: number;
        };
        /** @description What gives events their positions and publishes them. */
        RelayStatus: {
            leader: boolean;
            /**
             * Format: int64
             * @description Events that have no position yet; null, as are age and positions, while not measured.
             */
            unpositioned: number | null;
            /** @description Age of the oldest of them. */
            oldestAgeSeconds: number | null;
            /**
             * Format: int64
             * @description Last position given.
             */
            given: number | null;
            /**
             * Format: int64
             * @description Last position published.
             */
            published: number | null;
            /**
             * Format: int64
             * @description Times this instance became the leader.
             */
            takeovers: number;
        };
        /** @description What applies events to the statistics. */
        ConsumerStatus: {
            leader: boolean;
            /**
             * Format: int64
             * @description Last position applied.
             */
            cursor: number;
            /**
             * Format: int64
             * @description Positions behind.
             */
            lag: number;
            lagSeconds: number;
            /**
             * Format: int64
             * @description Events that could not be applied.
             */
            parked: number;
            /**
             * @description Where events come from at present.
             * @enum {string}
             */
            source: "stream" | "database";
            lastVerify: components["schemas"]["VerifyStatus"] | null;
        };
        VerifyStatus: {
            /** Format: date-time */
            at: string;
            equal: boolean;
            differences: number;
        };
        LiveStatus: {
            /** @description Browsers with an open stream. */
            subscribers: number;
            /** @description Whether updates come late. */
            stale: boolean;
        };
        RouteStatus: {
            service: string;
            route: string;
            /** Format: int64 */
            count: number;
            /**
             * Format: int64
             * @description Answered with 5xx.
             */
            errors: number;
            /** @description Estimated from a histogram, as are the others. */
            p50Ms: number;
            p95Ms: number;
            p99Ms: number;
        };
        /** @description status, database latency, pool, checks, timestamp. */
        Health: {
            [key: string]: unknown;
        };
        PoolStats: {
            [key: string]: unknown;
        };
    };
    responses: {
        /** @description Done; there is nothing to show. */
        NoContent: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The caller has the present version already. */
        NotModified: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The request cannot be understood, or a field is wrong. */
        Invalid: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Nobody is signed in. */
        Unauthenticated: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller may not do this. */
        Forbidden: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such thing, or the caller may not know of it. */
        NotFound: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The state of the thing does not allow this. */
        Conflict: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Somebody else changed it first; `current` has its present state. */
        Stale: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body exceeds its limit. */
        TooLarge: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The content type is not one that is read here. */
        UnsupportedMedia: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Understood, yet it breaks a rule; also an Idempotency-Key used for another request. */
        Unprocessable: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description If-Match is missing. */
        PreconditionRequired: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests. */
        RateLimited: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A fault of ours. */
        Internal: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A part we need is away; try again. */
        Unavailable: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not done within the deadline. */
        Timeout: {
            headers: {
                "X-Trace-Id": components["headers"]["TraceId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description Key of a project.
         * @example WEB
         */
        Key: string;
        /**
         * @description A task, by its id or by key and number.
         * @example WEB-42
         */
        Ref: string;
        /**
         * @description The other task, by its id or by key and number.
         * @example WEB-43
         */
        Other: string;
        /** @description Id of a state. */
        State: string;
        /** @description Id of a label. */
        Label: string;
        /** @description Id of a person. */
        Person: string;
        /** @description Id of a view. */
        View: string;
        /** @description Id of a comment. */
        Comment: string;
        /** @description How the first task stands to the other. */
        RelationKind: components["schemas"]["RelationKind"];
        /**
         * @description Terms joined by AND: `state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`. A comma means OR,
         *     a leading minus negates.
         * @example state:doing assignee:me
         */
        Filter: string;
        /** @description Field to sort by; a leading minus turns the order round. Tasks without a value come last. */
        Sort: "rank" | "created" | "updated" | "due" | "start" | "priority" | "number" | "title" | "completed" | "-rank" | "-created" | "-updated" | "-due" | "-start" | "-priority" | "-number" | "-title" | "-completed";
        /** @description Largest number of items in the answer. */
        Limit: number;
        /** @description `next` of the page before, with the same filter, sort and trash setting. */
        Cursor: string;
        /** @description Only what is in the trash, instead of what is not. */
        Trashed: boolean;
        /**
         * @description IANA name of the time zone in which words such as today are meant.
         * @example Europe/Berlin
         */
        TimeZone: string;
        /** @description `progress` adds how many subtasks of each task are done. */
        Include: "progress";
        /** @description Only events with a greater position. */
        After: number;
        /**
         * @description Version the caller has seen, as in ETag, or `*`. Required (428 without).
         * @example "7"
         */
        IfMatch: string;
        /**
         * @description Version the caller has seen, as in ETag, or `*`.
         * @example "7"
         */
        IfMatchOptional: string;
        /**
         * @description Versions the caller has; 304 if the present one is among them.
         * @example "7"
         */
        IfNoneMatch: string;
        /**
         * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
         * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
         */
        IdempotencyKey: string;
        /**
         * @description Only what began at or after this moment (RFC 3339).
         * @example 2026-11-02T08:15:00Z
         */
        Since: string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description The version in quotes.
         * @example "8"
         */
        ETag: string;
        /**
         * @description Path of what was created.
         * @example /api/v1/tasks/WEB-42
         */
        Location: string;
        /** @description W3C trace id of this request. */
        TraceId: string;
        /** @description `true` when the change had been made before under this key. */
        IdempotencyReplayed: "true";
        /** @description Seconds after which a retry makes sense. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    listPeople: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Everybody tasks can name. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["People"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    createPerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PersonNew"];
            };
        };
        responses: {
            /** @description The new person. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getPerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a person. */
                person: components["parameters"]["Person"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The person. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description Include archived projects. */
                archived?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The projects. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Projects"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectNew"];
            };
        };
        responses: {
            /** @description The new project. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Versions the caller has; 304 if the present one is among them.
                 * @example "7"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    changeProject: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`. Required (428 without).
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectPatch"];
            };
        };
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    addState: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StateNew"];
            };
        };
        responses: {
            /** @description The project with the new state. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    archiveState: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a state. */
                state: components["parameters"]["State"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    changeState: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a state. */
                state: components["parameters"]["State"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StatePatch"];
            };
        };
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    addLabel: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelNew"];
            };
        };
        responses: {
            /** @description The project with the new label. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    removeLabel: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a label. */
                label: components["parameters"]["Label"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    changeLabel: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a label. */
                label: components["parameters"]["Label"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelPatch"];
            };
        };
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    setMember: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a person. */
                person: components["parameters"]["Person"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberRole"];
            };
        };
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a person. */
                person: components["parameters"]["Person"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    listViews: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The views by name. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Views"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    createView: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ViewNew"];
            };
        };
        responses: {
            /** @description The new view. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    replaceView: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`. Required (428 without).
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a view. */
                view: components["parameters"]["View"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ViewNew"];
            };
        };
        responses: {
            /** @description The view as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    removeView: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
                /** @description Id of a view. */
                view: components["parameters"]["View"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    listTasks: {
        parameters: {
            query?: {
                /**
                 * @description Terms joined by AND: `state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`. A comma means OR,
                 *     a leading minus negates.
                 * @example state:doing assignee:me
                 */
                filter?: components["parameters"]["Filter"];
                /** @description Field to sort by; a leading minus turns the order round. Tasks without a value come last. */
                sort?: components["parameters"]["Sort"];
                /** @description Largest number of items in the answer. */
                limit?: components["parameters"]["Limit"];
                /** @description `next` of the page before, with the same filter, sort and trash setting. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Only what is in the trash, instead of what is not. */
                trashed?: components["parameters"]["Trashed"];
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
                /** @description `progress` adds how many subtasks of each task are done. */
                include?: components["parameters"]["Include"];
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of tasks. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskPage"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    createTask: {
        parameters: {
            query?: {
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
            };
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskNew"];
            };
        };
        responses: {
            /** @description The new task. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    bulkEdit: {
        parameters: {
            query?: {
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
            };
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkEdit"];
            };
        };
        responses: {
            /** @description The tasks as they are now. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    parseQuickAdd: {
        parameters: {
            query?: {
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuickText"];
            };
        };
        responses: {
            /** @description The fields the line names and where they stand in it. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuickParsed"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getBoard: {
        parameters: {
            query?: {
                /**
                 * @description Terms joined by AND: `state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`. A comma means OR,
                 *     a leading minus negates.
                 * @example state:doing assignee:me
                 */
                filter?: components["parameters"]["Filter"];
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
                /**
                 * @description A moment in the past (RFC 3339); a filter cannot be combined with it.
                 * @example 2026-03-01T09:00:00Z
                 */
                at?: string;
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The board. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Board"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    projectHistory: {
        parameters: {
            query?: {
                /** @description Only events with a greater position. */
                after?: components["parameters"]["After"];
                /** @description Largest number of items in the answer. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events behind `after`, oldest first. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Only events with a greater position. */
                after?: components["parameters"]["After"];
            };
            header?: {
                /** @description The id of the last event received; wins over `after`. */
                "Last-Event-ID"?: string;
            };
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: ready
                     *     data: {"pos":41,"live":true}
                     *
                     *     id: 42
                     *     event: task.changed
                     *     data: {"pos":42,"project":"WEB","kind":"task.changed"}
                     */
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    importTasks: {
        parameters: {
            query: {
                /** @description `csv`: one row per task; `jira-changelog`: one row per status change; `tallyboard`: a JSON export. */
                format: "csv" | "jira-changelog" | "tallyboard";
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
                /** @description Layout of dates, tried before the usual ones, in Go's notation: `02.01.2006 15:04`. */
                dateFormat?: string;
                /** @description What happens to rows that finish before they were created: `refuse` them, or `clamp` the creation to the finish. */
                invalidDates?: "refuse" | "clamp";
                /** @description Read and check everything, write nothing. */
                dryRun?: boolean;
                /** @description Column of: External id of a task; makes repeating an import harmless. Empty: none. */
                "map.id"?: string;
                /** @description Column of: Title. Empty: none. */
                "map.title"?: string;
                /** @description Column of: Description. Empty: none. */
                "map.description"?: string;
                /** @description Column of: Kind of issue; becomes a label. Empty: none. */
                "map.type"?: string;
                /** @description Column of: State, by name. Empty: none. */
                "map.state"?: string;
                /** @description Column of: When it was created. Empty: none. */
                "map.created"?: string;
                /** @description Column of: When work began. Empty: none. */
                "map.started"?: string;
                /** @description Column of: When it was completed. Empty: none. */
                "map.finished"?: string;
                /** @description Column of: Handles or names, separated by commas. Empty: none. */
                "map.assignee"?: string;
                /** @description Column of: Labels, separated by commas. Empty: none. */
                "map.labels"?: string;
                /** @description Column of: Priority. Empty: none. */
                "map.priority"?: string;
                /** @description Column of: Estimate. Empty: none. */
                "map.estimate"?: string;
                /** @description Column of: Start date. Empty: none. */
                "map.start"?: string;
                /** @description Column of: Due date. Empty: none. */
                "map.due"?: string;
                /** @description Column of: Status before a change (jira-changelog). Empty: none. */
                "map.from"?: string;
                /** @description Column of: Status after a change (jira-changelog). Empty: none. */
                "map.to"?: string;
                /** @description Column of: Category of the status after a change (jira-changelog). Empty: none. */
                "map.category"?: string;
                /** @description Column of: When the status changed (jira-changelog). Empty: none. */
                "map.changed"?: string;
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example id,title,created,finished
                 *     A-1,Log in,2026-01-05,2026-01-09
                 */
                "text/csv": string;
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description What was imported, or would be. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportReport"];
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    exportProject: {
        parameters: {
            query?: {
                format?: "json" | "csv";
            };
            header?: never;
            path: {
                /**
                 * @description Key of a project.
                 * @example WEB
                 */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The export, streamed. */
            200: {
                headers: {
                    /** @example attachment; filename="WEB.json" */
                    "Content-Disposition"?: string;
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                    "text/csv": string;
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    listAllTasks: {
        parameters: {
            query?: {
                /**
                 * @description Terms joined by AND: `state:doing assignee:me due<2026-12-01 label:bug -priority:low "login page"`. A comma means OR,
                 *     a leading minus negates.
                 * @example state:doing assignee:me
                 */
                filter?: components["parameters"]["Filter"];
                /** @description Field to sort by; a leading minus turns the order round. Tasks without a value come last. */
                sort?: components["parameters"]["Sort"];
                /** @description Largest number of items in the answer. */
                limit?: components["parameters"]["Limit"];
                /** @description `next` of the page before, with the same filter, sort and trash setting. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Only what is in the trash, instead of what is not. */
                trashed?: components["parameters"]["Trashed"];
                /**
                 * @description IANA name of the time zone in which words such as today are meant.
                 * @example Europe/Berlin
                 */
                tz?: components["parameters"]["TimeZone"];
                /** @description `progress` adds how many subtasks of each task are done. */
                include?: components["parameters"]["Include"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of tasks. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskPage"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Versions the caller has; 304 if the present one is among them.
                 * @example "7"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task, also when it is in the trash. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    trashTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task, now in the trash. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    changeTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`. Required (428 without).
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskPatch"];
            };
        };
        responses: {
            /** @description The task as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    restoreTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    moveTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Version the caller has seen, as in ETag, or `*`.
                 * @example "7"
                 */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskMove"];
            };
        };
        responses: {
            /** @description The task as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["Stale"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getTaskDetails: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task with what hangs on it. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetails"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    taskHistory: {
        parameters: {
            query?: {
                /** @description Only events with a smaller `seq`; pass `next` of the page before. */
                before?: number;
                /** @description Largest number of items in the answer. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of events. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskHistory"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    addComment: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CommentBody"];
            };
        };
        responses: {
            /** @description The new comment. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comment"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    removeComment: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description Id of a comment. */
                comment: components["parameters"]["Comment"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    editComment: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description Id of a comment. */
                comment: components["parameters"]["Comment"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CommentBody"];
            };
        };
        responses: {
            /** @description The comment as it is now. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comment"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMedia"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    relate: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description How the first task stands to the other. */
                kind: components["parameters"]["RelationKind"];
                /**
                 * @description The other task, by its id or by key and number.
                 * @example WEB-43
                 */
                other: components["parameters"]["Other"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    unrelate: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Makes a retry of the same request harmless. Kept for at least 24 hours.
                 * @example 0b0e7a3e-3a3c-4b5e-9a55-4d6f7a0f5a11
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description A task, by its id or by key and number.
                 * @example WEB-42
                 */
                ref: components["parameters"]["Ref"];
                /** @description How the first task stands to the other. */
                kind: components["parameters"]["RelationKind"];
                /**
                 * @description The other task, by its id or by key and number.
                 * @example WEB-43
                 */
                other: components["parameters"]["Other"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    searchTraces: {
        parameters: {
            query?: {
                /**
                 * @description Key of a task that the trace is about.
                 * @example WEB-42
                 */
                task?: string;
                /**
                 * @description Service that took part.
                 * @example task-service
                 */
                service?: string;
                /**
                 * @description Method and path template of the request.
                 * @example PATCH /api/v1/tasks/{ref}
                 */
                route?: string;
                /** @description Duration of the whole trace at least, in milliseconds. */
                minMs?: number;
                /** @description Duration of the whole trace at most, in milliseconds. */
                maxMs?: number;
                /** @description `true`: only traces with a failed span; `false`: only those without. */
                error?: boolean;
                /**
                 * @description Only what began at or after this moment (RFC 3339).
                 * @example 2026-11-02T08:15:00Z
                 */
                since?: components["parameters"]["Since"];
                /** @description Only what began before this moment (RFC 3339). */
                until?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceList"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getTraceGraph: {
        parameters: {
            query?: {
                /**
                 * @description Only what began at or after this moment (RFC 3339).
                 * @example 2026-11-02T08:15:00Z
                 */
                since?: components["parameters"]["Since"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Services and databases, and the calls between them. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceGraph"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getTraceSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The source of traces. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceSettings"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description 32 hexadecimal digits, as in `X-Trace-Id`.
                 * @example 4bf92f3577b34da6a3ce929d0e0e4736
                 */
                traceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace as far as it has arrived. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trace"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getOperations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances and their routes. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operations"];
                };
            };
            400: components["responses"]["Invalid"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            504: components["responses"]["Timeout"];
        };
    };
    getSpec: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.0 in YAML. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": string;
                };
            };
            304: components["responses"]["NotModified"];
        };
    };
    getDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page without scripts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            304: components["responses"]["NotModified"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready or degraded. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Not ready. */
            503: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus text or OpenMetrics, as asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                    "application/openmetrics-text": string;
                };
            };
        };
    };
    getPoolStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pool. */
            200: {
                headers: {
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoolStats"];
                };
            };
        };
    };
}
