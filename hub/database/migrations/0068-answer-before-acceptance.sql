-- What the destination said came of a delivery while its attempt was still under way: empty where it took it, else the
-- reason. It counts where the attempt ends as accepted.
ALTER TABLE delivery ADD COLUMN said_early text;
