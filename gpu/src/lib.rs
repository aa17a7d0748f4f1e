//! Programs over lanes: written once for any number type, recorded, differentiated in reverse and run in cache-sized tiles on all cores.
