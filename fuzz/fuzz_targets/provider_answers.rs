#![no_main]

aftercart_fuzzers::target!(aftercart_fuzz::PROVIDER_ANSWERS);
