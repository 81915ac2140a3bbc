CREATE TABLE users (id bigint PRIMARY KEY, username text NOT NULL);
CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL, date timestamptz NOT NULL, location text NOT NULL,
    status text NOT NULL, capacity int NOT NULL, seats_taken int NOT NULL DEFAULT 0 CHECK (seats_taken <= capacity)
);
CREATE TABLE registration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id bigint NOT NULL REFERENCES event,
    attendee_id bigint NOT NULL REFERENCES users, status text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (event_id, attendee_id)
);
