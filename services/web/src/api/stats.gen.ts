// Code generated from stats-service/api/openapi.yaml by npm run generate. DO NOT EDIT.

export interface paths {
    "/api/v1/stats/projects/{key}/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts of present tasks by state, priority, assignee and label
         * @description CSV columns `dimension,id,name,count,open`.
         */
        get: operations["getSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/throughput": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tasks created and completed per day
         * @description CSV columns `date,created,completed`.
         */
        get: operations["getThroughput"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/times": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lead and cycle times of tasks completed in the period
         * @description CSV columns `task,key,completed,leadSeconds,cycleSeconds`.
         */
        get: operations["getTimes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/flow": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Cumulative flow, tasks per state at the end of each day
         * @description CSV columns `date` and one per state, named after it, in the order of `states`.
         */
        get: operations["getFlow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/ageing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Age of the work in progress, and work in progress against its limits
         * @description The percentiles to compare with are those of cycle times of tasks completed in the period.
         *     CSV columns `task,key,title,state,started,ageSeconds,inStateSeconds,overP85`.
         */
        get: operations["getAgeing"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/burnup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Scope and completed work at the end of each day
         * @description CSV columns `date,scope,completed,scopePoints,completedPoints`.
         */
        get: operations["getBurnup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Monte Carlo forecast from the throughput of the period
         * @description Draws whole days of the period (today left out) with replacement, 10,000 runs, beginning with tomorrow.
         *     CSV columns `question,confidence,answer`.
         */
        get: operations["getForecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/overdue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Open tasks whose due date has passed
         * @description CSV columns `task,key,title,state,priority,due,daysOverdue`.
         */
        get: operations["getOverdue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/projects/{key}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says when the project's statistics have changed
         * @description A stream of server-sent events, each with a JSON object as data:
         *
         *     - `ready` ([StreamState](#/components/schemas/StreamState)): first, and again when staleness has ended;
         *     - `stats` (StreamState): the project's statistics have changed; `id` is the position;
         *     - `stale` (StreamState with `staleSince`): changes wait to be counted, or the database cannot be reached.
         *
         *     Nothing is lost by reconnecting: `ready` carries the present position, so compare it with the last one seen.
         */
        get: operations["streamStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far the projections are, and what is parked */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Recounts from tasks and events and reports differences to the projections
         * @description May take minutes on a large database; bounded by VERIFY_TIMEOUT.
         */
        get: operations["verify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats/parked/{task}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries the parked events of a task (or project) again
         * @description Send no body. Applies as many as can be; what still fails stays parked, with its reason.
         */
        post: operations["retryParked"];
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
        /** @enum {string} */
        Category: "backlog" | "todo" | "doing" | "done" | "cancelled";
        /** @description What an answer counts. */
        AsOf: {
            /**
             * Format: int64
             * @description Position of the last change counted.
             */
            pos: number;
            /**
             * Format: date-time
             * @description The answer holds for this moment.
             */
            time: string;
            /**
             * Format: int64
             * @description Grows with each rebuild.
             */
            generation: number;
            /**
             * Format: date-time
             * @description When the oldest change not yet counted was written; absent when all are counted.
             */
            staleSince?: string;
        };
        Period: {
            /** Format: date */
            from: string;
            /**
             * Format: date
             * @description Included.
             */
            to: string;
            tz: string;
            days: number;
        };
        State: {
            /** Format: uuid */
            id: string;
            name: string;
            category: components["schemas"]["Category"];
            wipLimit?: number;
            archived: boolean;
        };
        StateCount: components["schemas"]["State"] & {
            count: number;
        };
        CategoryCount: {
            category: components["schemas"]["Category"];
            count: number;
        };
        PriorityCount: {
            priority: number;
            count: number;
            open: number;
        };
        IdCount: {
            /**
             * Format: uuid
             * @description Person or label; null counts tasks without.
             */
            id: string | null;
            count: number;
            /** @description Those in backlog, todo and doing states. */
            open: number;
        };
        Summary: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            /**
             * Format: date
             * @description Day the oldest task was created; absent without tasks.
             */
            firstDay?: string;
            /** @description Tasks that are not in the trash. */
            total: number;
            /** @description Those in backlog, todo and doing states. */
            open: number;
            done: number;
            cancelled: number;
            /** @description Open tasks with a due date before today. */
            overdue: number;
            /** @description Created in the period. */
            created: number;
            /** @description Completed in the period. */
            completed: number;
            byCategory: components["schemas"]["CategoryCount"][];
            /** @description In board order. */
            byState: components["schemas"]["StateCount"][];
            /** @description All five, 0 to 4. */
            byPriority: components["schemas"]["PriorityCount"][];
            /** @description Most tasks first. A task of two people counts for both. */
            byAssignee: components["schemas"]["IdCount"][];
            /** @description Most tasks first. A task with two labels counts for both. */
            byLabel: components["schemas"]["IdCount"][];
        };
        Throughput: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            created: number;
            completed: number;
            /** @description Mean over all days of the period. */
            completedPerDay: number;
            days: {
                /** Format: date */
                date: string;
                created: number;
                completed: number;
            }[];
        };
        /** @description Of elapsed times in seconds. Percentiles interpolate linearly (Hyndman and Fan, type 7). */
        Distribution: {
            /** @description Sample size; the numbers are null when it is 0. */
            count: number;
            mean: number | null;
            min: number | null;
            p50: number | null;
            p75: number | null;
            p85: number | null;
            p95: number | null;
            max: number | null;
        };
        Times: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            lead: components["schemas"]["Distribution"];
            cycle: components["schemas"]["Distribution"];
            /** @description The latest 2,000 completions at most, in order of completion. */
            points: {
                /** Format: uuid */
                task: string;
                /** @example WEB-42 */
                key: string;
                /** Format: date-time */
                completed: string;
                leadSeconds: number;
                cycleSeconds: number;
                /** @description False: it never was in a doing state, so its cycle time is its lead time. */
                started: boolean;
            }[];
            /** @description Older completions that are in the percentiles but not among the points. */
            pointsOmitted: number;
        };
        Flow: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            /** @description In board order; archived ones only if tasks were in them in the period. */
            states: components["schemas"]["State"][];
            days: {
                /** Format: date */
                date: string;
                /** @description One per state in the order of states. */
                counts: number[];
            }[];
        };
        Ageing: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            cycle: components["schemas"]["Distribution"];
            /** @description States of category doing, and others with a limit, in board order. */
            states: (components["schemas"]["State"] & {
                /** @description Tasks that match the filter. */
                count: number;
                /** @description All tasks; this is what the limit is about. */
                total: number;
                /** @description total exceeds wipLimit. */
                overLimit: boolean;
            })[];
            /** @description Tasks in doing states that match the filter. */
            count: number;
            /** @description Those older than the 85th percentile of cycle times. */
            overP85: number;
            /** @description Oldest first, 200 at most. */
            items: {
                /** Format: uuid */
                task: string;
                key: string;
                title: string;
                /** Format: uuid */
                state: string;
                priority: number;
                assignees: string[];
                /**
                 * Format: date-time
                 * @description First entry into a doing state.
                 */
                started: string;
                /** @description Elapsed since started. */
                ageSeconds: number;
                /** @description Elapsed since it entered its present state. */
                inStateSeconds: number;
                /** @description Older than the 85th percentile of cycle times; false while there is none. */
                overP85: boolean;
            }[];
            itemsOmitted: number;
        };
        Burnup: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            /** @description Tasks in scope now without an estimate; they add nothing to points. */
            unestimated: number;
            days: {
                /** Format: date */
                date: string;
                /** @description Tasks that existed at the end of the day, neither trashed nor cancelled. */
                scope: number;
                /** @description Tasks completed by the end of the day and not reopened since. */
                completed: number;
                /** @description Sum of their present estimates. */
                scopePoints: number;
                completedPoints: number;
            }[];
        };
        Forecast: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            /** @example 10000 */
            runs: number;
            /** Format: int64 */
            seed: number;
            /** @description No run looks further ahead than this. */
            horizonDays: number;
            /** @description False: nothing was completed in the period, so there is nothing to draw from. */
            possible: boolean;
            sample: {
                /** Format: date */
                from: string;
                /** Format: date */
                to: string;
                /** @description Whole days drawn from; 0 if the period has none before today. */
                days: number;
                completed: number;
                completedPerDay: number;
            };
            /** @description Open tasks that match the filter. */
            remaining: {
                backlog: number;
                todo: number;
                doing: number;
                total: number;
            };
            /** @description When will `items` tasks be completed? p85 is the day by which they were in 85 % of the runs. */
            when: {
                items: number;
                /** Format: date */
                p50: string | null;
                /** Format: date */
                p70: string | null;
                /**
                 * Format: date
                 * @description Null: beyond the horizon, or not possible.
                 */
                p85: string | null;
                /** Format: date */
                p95: string | null;
                /** @description Share (0 to 1) of the runs that were not done at the horizon. */
                beyondHorizon: number;
                /** @description Runs by the day they were done, days without a run left out. */
                distribution: {
                    /** Format: date */
                    date: string;
                    runs: number;
                }[];
            };
            /** @description How many tasks will be completed by the end of `by`? In 85 % of the runs it were p85 or more. */
            howMany: {
                /** Format: date */
                by: string;
                /** @description From tomorrow to by. */
                days: number;
                p50: number | null;
                p70: number | null;
                p85: number | null;
                p95: number | null;
                distribution: {
                    items: number;
                    runs: number;
                }[];
            };
        };
        Overdue: {
            project: string;
            asOf: components["schemas"]["AsOf"];
            period: components["schemas"]["Period"];
            /** Format: date */
            today: string;
            count: number;
            dueToday: number;
            /** @description From tomorrow on. */
            dueNext7Days: number;
            /** @description Longest overdue first, 200 at most. */
            items: {
                /** Format: uuid */
                task: string;
                key: string;
                title: string;
                /** Format: uuid */
                state: string;
                priority: number;
                assignees: string[];
                /** Format: date */
                due: string;
                daysOverdue: number;
            }[];
            itemsOmitted: number;
        };
        StreamState: {
            project: string;
            /**
             * Format: int64
             * @description Position of the last counted change of this project.
             */
            pos: number;
            /** Format: int64 */
            generation: number;
            /** Format: date-time */
            staleSince?: string;
        };
        Parked: {
            /** @enum {string} */
            aggregate: "task" | "project";
            /**
             * Format: uuid
             * @description Id of the task or project.
             */
            task: string;
            /** Format: uuid */
            project: string;
            /**
             * Format: int64
             * @description Of the event that could not be applied.
             */
            pos: number;
            /** Format: int64 */
            seq: number;
            reason: string;
            /** Format: date-time */
            since: string;
            attempts: number;
            /** @description Parked events, that one included. */
            events: number;
        };
        Status: {
            /**
             * Format: int64
             * @description Position of the last event applied.
             */
            cursor: number;
            /**
             * Format: int64
             * @description Last position given.
             */
            head: number;
            /** Format: int64 */
            lagPositions: number;
            /** @description Age of the oldest event not yet applied; 0 when there is none. */
            lagSeconds: number;
            /** Format: date-time */
            staleSince?: string;
            /**
             * Format: date-time
             * @description When the cursor last moved.
             */
            appliedAt?: string;
            /**
             * @description Where this instance's applier last read events; none if it is not the applier.
             * @enum {string}
             */
            source: "nats" | "database" | "none";
            /** Format: int64 */
            generation: number;
            /** @description This instance holds the lease and applies events. */
            applier: boolean;
            nats: {
                connected: boolean;
                /** Format: date-time */
                since: string;
            };
            /** @description Present while a rebuild is under way. */
            rebuild?: {
                /** Format: int64 */
                generation: number;
                /** Format: int64 */
                pos: number;
            };
            parkedCount: number;
            /** @description The oldest 100. */
            parked: components["schemas"]["Parked"][];
        };
        Retry: {
            /** Format: uuid */
            task: string;
            /** @description Events applied now. */
            applied: number;
            /** @description Events that stay parked. */
            remaining: number;
            /** @description Why they do. */
            reason?: string;
        };
        Verification: {
            /** @description No difference and nothing parked. */
            equal: boolean;
            /**
             * Format: int64
             * @description Both sides were counted up to this position.
             */
            pos: number;
            /** Format: int64 */
            generation: number;
            /** @description Tasks compared. */
            tasks: number;
            /** @description Transitions compared. */
            transitions: number;
            /** @description States compared. */
            states: number;
            /** @description Tasks and projects left out because their events are parked. */
            parked: number;
            /** @description All differences. */
            count: number;
            differences: {
                /** @enum {string} */
                kind: "task" | "transition" | "state" | "cursor";
                /** Format: uuid */
                project: string;
                /** @description Task or state; for a transition task/seq. */
                id: string;
                field: string;
                /** @description By recount. */
                want: string;
                /** @description In the projection. */
                have: string;
            }[];
            tookSeconds: number;
        };
        FieldError: {
            name: string;
            message: string;
            position?: number;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            instance?: string;
            code: string;
            traceId?: string;
            errors?: components["schemas"]["FieldError"][];
            current?: {
                [key: string]: unknown;
            };
        };
    };
    responses: {
        /** @description Nothing has changed since the answer with this ETag. */
        NotModified: {
            headers: {
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The request failed. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The project's key, such as WEB. */
        Key: string;
        /** @description First day of the period; by default 89 days before `to`. */
        From: string;
        /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
        To: string;
        /** @description Time zone of the viewer, an IANA name. */
        Tz: string;
        /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
        Assignee: string[];
        /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
        Priority: number[];
        /** @description Only tasks with one of these labels. `none` means tasks without label. */
        Label: string[];
        Format: "json" | "csv";
        IfNoneMatch: string;
    };
    requestBodies: never;
    headers: {
        /** @description Weak validator over the project's counted changes, the query and the day. */
        ETag: string;
        /** @description Trace of this request. */
        TraceId: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSummary: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Summary"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getThroughput: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One entry a day of the period, in order. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Throughput"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getTimes: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Percentiles and the points of a scatter plot. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Times"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getFlow: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One entry a day of the period, in order; today's is as of now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flow"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getAgeing: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tasks in doing states, oldest first. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ageing"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getBurnup: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One entry a day of the period, in order; today's is as of now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Burnup"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getForecast: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                /** @description How many tasks are to be completed; by default all that are open (backlog, todo, doing). */
                items?: number;
                /** @description The date for "how many by then", after today; by default 30 days from today. */
                by?: string;
                /** @description Seed of the random numbers; the same seed over the same data gives the same answer. */
                seed?: number;
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dates and numbers by confidence. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    getOverdue: {
        parameters: {
            query?: {
                /** @description First day of the period; by default 89 days before `to`. */
                from?: components["parameters"]["From"];
                /** @description Last day of the period, included; by default today. At most 1830 days after `from`. */
                to?: components["parameters"]["To"];
                /** @description Time zone of the viewer, an IANA name. */
                tz?: components["parameters"]["Tz"];
                /** @description Only tasks assigned to one of these people; repeat for several. `none` means tasks without assignee. */
                assignee?: components["parameters"]["Assignee"];
                /** @description Only tasks of one of these priorities (0 none, 1 urgent, 2 high, 3 medium, 4 low). */
                priority?: components["parameters"]["Priority"];
                /** @description Only tasks with one of these labels. `none` means tasks without label. */
                label?: components["parameters"]["Label"];
                format?: components["parameters"]["Format"];
            };
            header?: {
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Longest overdue first. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Trace-Id": components["headers"]["TraceId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overdue"];
                    "text/csv": string;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    streamStats: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The project's key, such as WEB. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream; a comment every few seconds keeps it open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of the projections. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verify: {
        parameters: {
            query?: {
                /** @description How many differences to list; all are counted. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The comparison, also when there are differences. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retryParked: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the task or project whose events are parked. */
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
