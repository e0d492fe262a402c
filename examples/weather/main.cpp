#include "program.hpp"

int main(int argc, char** argv) { return weather::run_program(argc, argv); }
