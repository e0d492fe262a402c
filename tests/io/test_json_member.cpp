#include "mtl/io/json_member.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/json.hpp"

using namespace mtl;

TEST_CASE("json_member: values of each type") {
  const auto json = io::parse_json(R"({"i": -3, "d": 2, "b": true, "s": "é", )"
                                   R"("is": [1, 2], "ds": [1, 0.5], "ss": ["a"], "no": []})");
  CHECK(io::json_member<int64_t>(json, "i", "f") == -3);
  CHECK(io::json_member<double>(json, "d", "f") == 2);
  CHECK(io::json_member<bool>(json, "b", "f"));
  CHECK(io::json_member<std::string>(json, "s", "f") == "é");
  CHECK(io::json_member<std::vector<int64_t>>(json, "is", "f") == std::vector<int64_t>{1, 2});
  CHECK(io::json_member<std::vector<double>>(json, "ds", "f") == std::vector<double>{1, 0.5});
  CHECK(io::json_member<std::vector<std::string>>(json, "ss", "f").at(0) == "a");
  CHECK(io::json_member<std::vector<bool>>(json, "no", "f").empty());
}

TEST_CASE("json_member: an error names file and key") {
  const auto json = io::parse_json(R"({"i": 1.5, "b": 1, "is": [1, 1e300], "s": ["a"]})");
  const auto error = [&]<class T>(const char* key, T) {
    return error_text([&] { io::json_member<T>(json, key, "config.json"); });
  };
  CHECK(error("x", int64_t()) == "config.json: \"x\" is missing");
  CHECK(error("i", int64_t()) == "config.json: \"i\" is 1.5, expected an integer");
  CHECK(error("b", bool()) == "config.json: \"b\": found 1, expected true or false");
  CHECK(contains(error("is", std::vector<int64_t>()), "config.json: \"is\"[1] is 1e+300"));
  CHECK(contains(error("s", std::string()), "found [\"a\"], expected a text"));
  CHECK(contains(error("i", std::vector<double>()), "found 1.5, expected a list"));
  CHECK(contains(error_text([] { io::json_member<bool>(io::Json(3), "b", "config.json"); }),
                 "config.json: found 3, expected an object"));
}

TEST_CASE("json_text: a text that is not UTF-8 is an error that says so") {
  CHECK(contains(error_text([] { io::json_text(io::Json("t\xe9mp"), -1); }),
                 "invalid UTF-8 byte at index 2: 0x6D; texts, such as names, have to be UTF-8"));
}
