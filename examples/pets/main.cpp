// Pet breeds with one main task and three auxiliary ones: `pets --help`, docs/pets.md.
#include "program.hpp"

int main(int argc, char** argv) {
  mtl::tune_allocator();
  return pets::run_program(argc, argv);
}
