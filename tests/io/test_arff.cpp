#include "mtl/io/arff.hpp"

#include "catch.hpp"
#include "error_text.hpp"

using namespace mtl;

namespace {

std::string arff_error(std::string_view rows) {
  const std::string text = "@relation t\n@attribute a real\n@attribute k {x,'y z'}\n@data\n";
  return error_text([&] { io::parse_arff(text + std::string(rows), "t.arff"); });
}

}  // namespace

TEST_CASE("parse_arff: names, values and rows, plain and quoted, on the lines of the file") {
  const io::Arff arff = io::parse_arff(
      "% a comment\r\n@RELATION 'a b'\r\n\r\n@Attribute 'the area' numeric\n"
      "@attribute kind { flat, 'old house', \"it's\" }\n@attribute s string\n"
      "@attribute d date \"yyyy-MM-dd\"\n@DATA\n"
      "% another\n1.5, 'old house' ,'say \\'hi\\', \"you\"',2024-02-29 % why\n"
      "?,flat,'?',?\n",
      "t.arff");
  CHECK(arff.relation == "a b");
  CHECK(arff.columns == std::vector<std::string>{"the area", "kind", "s", "d"});
  CHECK(arff.csv ==
        "\n\n\n\n\n\n\n\n\n1.5,old house,\"say 'hi', \"\"you\"\"\",2024-02-29\n,flat,?,\n");
}

TEST_CASE("parse_arff: a sparse row has 0 or the first value where it says nothing") {
  const io::Arff arff = io::parse_arff(
      "@attribute a numeric\n@attribute k {x,y}\n@attribute b numeric\n@data\n"
      "{0 3, 1 y}\n{}\n{2 ?}\n",
      "t.arff");
  CHECK(arff.csv == "\n\n\n\n3,y,0\n0,x,0\n0,x,\n");
}

TEST_CASE("parse_arff: what is no ARFF is an error with its line") {
  CHECK(contains(arff_error("1\n"), "t.arff, line 5: 1 cells where there are 2 attributes"));
  CHECK(contains(arff_error("1,x,2\n"), "line 5: 3 cells where there are 2"));
  CHECK(
      contains(arff_error("1,x\n1,q\n"), "line 6: attribute \"k\" does not have the value \"q\""));
  CHECK(contains(arff_error("1,'y z\n"), "line 5: a quote is not closed"));
  CHECK(contains(arff_error("{5 1}\n"), "line 5: a sparse cell begins with a number below 2"));
  CHECK(contains(arff_error("{0 1\n"), "line 5: the sparse row is not closed"));
  CHECK(contains(arff_error("1,'x'y\n"), "line 5: something stands behind the last cell"));
  const auto error_of = [](std::string_view text) {
    return error_text([&] { io::parse_arff(text, "t.arff"); });
  };
  CHECK(contains(error_of("a,b\n1,2\n"), "line 1: @relation, @attribute or @data was expected"));
  CHECK(contains(error_of("@attribute a number\n"), "line 1: an attribute is numeric"));
  CHECK(contains(error_of("@attribute a {x,y\n"), "line 1: the list of values is not closed"));
  CHECK(contains(error_of("@relation t\n@data\n1\n"), "line 2: no @attribute stands before"));
  CHECK(contains(error_of("@attribute a real\n"), "no line @data"));
  CHECK(contains(error_of(""), "no line @data"));
}

TEST_CASE("parse_arff: what sparse rows leave out is written up to a limit") {
  std::string text = "@attribute k {" + std::string(1000, 'x') + "}\n@data\n";
  for (int i = 0; i < 100; ++i) text += "{}\n";
  CHECK(io::parse_arff(text, "t.arff").csv.size() > 100'000);
  CHECK(contains(error_text([&] { io::parse_arff(text, "t.arff", 50'000); }),
                 "t.arff, line 58: the rows up to here take 56058 bytes"));
}

// In time by the square of its length either would take minutes.
TEST_CASE("parse_arff: a long row and an attribute of many values take the time of their length") {
  std::string wide, kinds;
  for (int i = 0; i < 500'000; ++i) {
    wide += "@attribute a" + std::to_string(i) + " real\n";
    kinds += (i == 0 ? "k" : ",k") + std::to_string(i);
  }
  wide += "@data\n1";
  for (int i = 1; i < 500'000; ++i) wide += ",1";
  CHECK(io::parse_arff(wide, "t.arff").csv.size() == 1'500'001);
  std::string many = "@attribute k {" + kinds + "}\n@data\n";
  for (int i = 0; i < 500'000; ++i) many += "k499999\n";
  CHECK(io::parse_arff(many, "t.arff").csv.size() == 4'000'002);
}

TEST_CASE("parse_arff: an unknown cell of one attribute is a row") {
  CHECK(io::parse_arff("@attribute a numeric\n@data\n1\n?\n\n3\n", "t.arff").csv ==
        "\n\n1\n\"\"\n\n3\n");
}
