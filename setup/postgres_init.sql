-- Run once by PostgreSQL's image on an empty volume: the outside parties' sandbox keeps its own books.
CREATE DATABASE zhanggui_sandbox;
