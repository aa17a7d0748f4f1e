//! Marketplace games and repeated play without regret: closed forms, equilibria, regret learners.
