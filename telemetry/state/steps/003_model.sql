-- The forecast's model, as fitted to the deployment's own history; the newest is in force.
CREATE TABLE model (
    fitted_ns INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    body BLOB NOT NULL
);
