#![no_main]

aftercart_fuzzers::target!(aftercart_fuzz::TOKENS);
