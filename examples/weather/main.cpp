#include "mtl/core/allocator.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  mtl::tune_allocator();
  return weather::run_program(argc, argv);
}
