//! Transformations, as a job has them, over tables that are written here.

use std::fs;

use super::*;
use crate::data::DataSet;
use crate::data::format::FORMATS;
use crate::data::read::read;
use crate::job_file::Origin;

/// The sets of a job whose training and test set are these tables, with more `keys`.
fn sets(train: &str, test: &str, keys: &str) -> Result<(DataSet, DataSet), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, table) in [("train.csv", train), ("test.csv", test)] {
        fs::write(folder.path().join(name), table).unwrap();
    }
    let text = format!("[data]\nformat = \"csv\"\nimages = \"train.csv\"\ntest_images = \"test.csv\"\n{keys}\n");
    let origin = Origin { file: &folder.path().join("job.toml"), text: &text };
    let read = Section::new(origin, "data").and_then(|section| read(section, FORMATS, 8));
    let strip = |error: JobError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    read.map(|(train, test)| (train, test.expect("a test set"))).map_err(strip)
}

fn train(table: &str, keys: &str) -> DataSet {
    sets(table, table, keys).unwrap().0
}

fn refused(table: &str, keys: &str) -> String {
    sets(table, table, keys).map(|(train, _)| train.inputs).expect_err("refused")
}

const PLANTS: &str = "id,width,colour,kind,height\na1,1,red,0,2\nb2,3,blue,1,4\n";
const BY_KIND: &str = "label_column = \"kind\"\n";

#[test]
fn columns_are_chosen_by_name_and_index_in_the_order_of_the_job() {
    for (columns, inputs, names) in [
        ("[\"height\", \"width\"]", [512, 256, 1024, 768], ["height", "width"]),
        ("[4, 1]", [512, 256, 1024, 768], ["height", "width"]),
        ("[\"width\", 4]", [256, 512, 768, 1024], ["width", "height"]),
        ("{ except = [\"id\", 2] }", [256, 512, 768, 1024], ["width", "height"]),
    ] {
        let set = train(PLANTS, &format!("{BY_KIND}columns = {columns}"));
        assert_eq!(
            (set.width, &set.inputs[..], set.names),
            (2, &inputs[..], names.map(str::to_owned).to_vec()),
            "{columns}"
        );
    }
    // By name they are found wherever they stand in the test set; by index they must be the same.
    let other = "height,kind,width\n2,0,1\n4,1,3\n";
    let (train, test) = sets(PLANTS, other, &format!("{BY_KIND}columns = [\"width\", \"height\"]")).unwrap();
    assert_eq!(train, test);
    let error = sets(PLANTS, other, &format!("{BY_KIND}columns = [1]")).expect_err("the label");
    assert!(error.contains("test.csv, line 1: a column of data.columns is 1, expected another one: it is the label"));
    let error = sets(PLANTS, other, &format!("{BY_KIND}columns = [4]")).expect_err("no such column");
    assert!(error.contains("a column of data.columns is 4, expected 0 to 2, the columns of the file"), "{error}");
    let error = sets("a,b,c\n1,0,2\n", "c,b,a\n1,0,2\n", "label_column = 1\nheader = true\ncolumns = [0]");
    assert!(error.expect_err("another column").contains("the columns of the training set in their order, [\"a\"]"));
}

#[test]
fn columns_that_cannot_be_chosen_are_named() {
    let with = |columns: &str| refused(PLANTS, &format!("{BY_KIND}columns = {columns}"));
    assert_eq!(with("[]"), "job.toml:6: data.columns is empty, expected at least one column, or no such key");
    assert!(with("{ except = [] }").contains("data.columns is empty"));
    let error = with("[\"widht\"]");
    assert_eq!(
        error,
        "train.csv, line 1: a column of data.columns is \"widht\", expected one of the header, of which \"width\" is the nearest"
    );
    assert!(with("[1, \"width\"]").contains("is \"width\", expected each column once"));
    assert!(with("[\"kind\"]").contains("is \"kind\", expected another one: it is the label"));
    assert!(with("{ except = [\"kind\"] }").contains("expected another one: it is the label"));
    assert!(with("[9]").contains("is 9, expected 0 to 4"));
    assert!(with("{ except = [0, 1, 2, 4] }").contains("the header is 0 chosen, expected 1 to 16384 columns"));
    assert!(with("3").contains("columns must be a list of names or indices, or { except = [ … ] }"));
    assert!(with("{ but = [1] }").contains("columns must be"));
    let error = refused("1,2,0\n", "label_column = 2\ncolumns = [\"x\"]");
    assert!(error.contains("is \"x\", expected an index from 0: the columns of this file have no names"), "{error}");
    let error = refused("x,x,y\n1,2,0\n", "label_column = \"y\"\ncolumns = [\"x\"]");
    assert!(error.contains("columns 0 and 1 are named so: give its index"), "{error}");
    // A column of texts can only be left out.
    let error = refused(PLANTS, BY_KIND);
    assert!(error.contains("train.csv, line 2: column 0 (\"id\") is \"a1\", expected a number"), "{error}");
}

const IRISES: &str = "x,class\n1,virginica\n2,setosa\n3,versicolor\n4,setosa\n";
const BY_CLASS: &str = "label_column = \"class\"\n";

#[test]
fn labels_are_the_classes_that_the_job_lists() {
    let listed = "classes = [\"setosa\", \"versicolor\", \"virginica\"]";
    let set = train(IRISES, &format!("{BY_CLASS}{listed}"));
    assert_eq!((set.labels, set.classes), (vec![2, 0, 1, 0], 3));
    let numbers = "x,class\n1,30\n2,7\n3,-1\n";
    for list in ["[7, -1, 30]", "[\"7\", \"-1\", \"30\"]"] {
        assert_eq!(train(numbers, &format!("{BY_CLASS}classes = {list}")).labels, [2, 0, 1], "{list}");
    }
    // The test set has the classes of the job, whatever labels are in it.
    let (_, test) = sets(IRISES, "x,class\n1,virginica\n", &format!("{BY_CLASS}{listed}")).unwrap();
    assert_eq!(test.labels, [2]);
}

#[test]
fn numbers_may_count_from_another_one_than_0() {
    let table = "x,class\n1,1\n2,3\n3,2\n";
    assert_eq!(train(table, &format!("{BY_CLASS}first_label = 1")).labels, [0, 2, 1]);
    assert_eq!(train("x,class\n1,-1\n2,0\n", &format!("{BY_CLASS}first_label = -1")).labels, [0, 1]);
    assert_eq!(train(table, BY_CLASS).labels, [1, 3, 2]);
    let error = refused("x,class\n1,1\n2,0\n", &format!("{BY_CLASS}first_label = 1"));
    assert_eq!(error, "train.csv, line 3: a label is 0, expected 1 to 16384");
    let error = refused(&format!("x,class\n1,{}\n", i128::MIN), &format!("{BY_CLASS}first_label = 1"));
    assert!(error.ends_with("expected 1 to 16384"), "{error}");
    let error = refused(table, &format!("{BY_CLASS}first_label = {}", i64::MAX));
    assert!(error.contains("a label is 1, expected 9223372036854775807 to 9223372036854792190"), "{error}");
}

#[test]
fn labels_that_are_no_class_are_named() {
    let error = refused(IRISES, BY_CLASS);
    assert_eq!(
        error,
        "train.csv, line 2: column 1 (\"class\") is \"virginica\", expected a label, a whole number; for texts list them \
         in the order of their classes: data.classes = [\"setosa\", \"versicolor\", \"virginica\"]"
    );
    let error = refused(&format!("{IRISES}5,\n"), BY_CLASS);
    assert!(error.ends_with("[\"setosa\", \"versicolor\", \"virginica\"]"), "what is missing is no class: {error}");
    let missing = "train.csv, line 3: column 1 (\"class\") is \"NA\", expected a label; it is missing: fill it in, or leave the row out";
    assert_eq!(refused("x,class\n1,0\n2,NA\n", BY_CLASS), missing);
    assert_eq!(refused("x,class\n1,0\n2,NA\n", &format!("{BY_CLASS}classes = [0, 1]")), missing);
    // It may be the name of a class.
    assert_eq!(train("x,class\n1,none\n2,some\n", &format!("{BY_CLASS}classes = [\"none\", \"some\"]")).labels, [0, 1]);
    let many: String = (0..100).map(|row| format!("1,c{row}\n")).collect();
    let error = refused(&format!("x,class\n{many}"), BY_CLASS);
    assert!(error.ends_with("expected a label, a whole number; or list the labels in data.classes"), "{error}");
    let with = |keys: &str| refused(IRISES, &format!("{BY_CLASS}{keys}"));
    let error = with("classes = [\"setosa\", \"virginica\"]");
    assert_eq!(
        error,
        "train.csv, line 4: column 1 (\"class\") is \"versicolor\", expected one of data.classes, [\"setosa\", \"virginica\"]"
    );
    assert_eq!(with("classes = []"), "job.toml:6: data.classes is a list of 0, expected 1 to 16384 labels");
    assert_eq!(with("classes = [\"a\", \"a\"]"), "job.toml:6: data.classes[1] is \"a\", expected each label once");
    assert!(with("classes = [1, \"01\"]").contains("data.classes[1] is \"01\", expected each label once"));
    assert!(with("classes = [0.5]").contains("a class must be a text or a whole number"));
    assert!(
        with("classes = [\"a\"]\nfirst_label = 1")
            .contains("data.first_label is given, expected no such key where data.classes lists the labels")
    );
}

#[test]
fn standardised_columns_have_the_moments_of_the_training_set() {
    // Mean 2.5 and deviation √1.25 = 1.1180339887498949; mean 10 and deviation 10.
    let table = "1,0,0\n2,0,1\n3,20,0\n4,20,1\n";
    let (train, test) = sets(table, "10,15,0\n2.5,10,1\n", "label_column = 2\nstandardise = true").unwrap();
    // ±1.3416407864998738 and ±0.4472135954999579, times 256; ±1.
    assert_eq!(train.inputs, [-343, -256, -114, -256, 114, 256, 343, 256]);
    // 6.708203932499369 and 0.5; 0 and 0.
    assert_eq!(test.inputs, [1717, 128, 0, 0]);
    let halved = sets(table, table, "label_column = 2\nstandardise = true\nscale = 0.5").unwrap().0;
    assert_eq!(halved.inputs[..2], [-172, -128]);
    assert_eq!(sets(table, table, "label_column = 2\nstandardise = false").unwrap().0.inputs[..2], [256, 0]);
}

#[test]
fn columns_without_a_deviation_are_refused_by_name() {
    let with = |table: &str| refused(table, "label_column = \"y\"\nstandardise = true");
    let error = with("a,b,c,y\n1,7,0.1,0\n2,7,0.1,1\n3,7,0.1,1\n");
    assert!(
        error.starts_with("train.csv, line 1: the standard deviation of a column is 0, of column \"b\", \"c\","),
        "{error}"
    );
    assert!(error.contains("data.columns = { except = [\"b\", \"c\"] }"), "{error}");
    let error = refused("1,2,0\n1,3,1\n", "label_column = 2\nstandardise = true");
    assert!(error.contains("data.columns = { except = [0] }"), "{error}");
    assert!(with("a,y\n1,0\ninf,1\n").contains("line 3: column 0 (\"a\") is \"inf\", expected a finite number"));
    assert!(with("a,y\n1e308,0\n1.5e308,1\n").contains("the standard deviation of a column"));
    let error = sets("1,2,0\n2,3,1\n", "1,0\n", "label_column = -1\nstandardise = true").expect_err("no index");
    assert!(error.contains("label_column must be"), "{error}");
    let error = sets("0,1,2\n1,2,3\n", "0,1\n", "label_column = 0\nstandardise = true").expect_err("fewer columns");
    assert_eq!(error, "test.csv, line 1: the number of columns is 1, expected 2, as in the training set");
    let far = sets("0,1\n1,2\n", "0,1000\n", "label_column = 0\nstandardise = true").expect_err("out of range");
    assert!(far.contains("column 1 is \"1000\", expected a number that lies in [-128, 128) once scaled"), "{far}");
    assert!(far.ends_with("here after it is standardised"), "{far}");
}

/// From outside: a plain ChaCha20 and shuffle in Python.
#[test]
fn rows_are_shuffled_as_the_seed_says() {
    let table: String = (0..12).map(|row| format!("{row},{}\n", row % 3)).collect();
    let plain = train(&table, "label_column = 1");
    for (seed, order) in ORDERS {
        let (train, test) = sets(&table, &table, &format!("label_column = 1\nshuffle = {seed}")).unwrap();
        assert_eq!(train.inputs, order.map(|row| 256 * row), "{seed}");
        assert_eq!(train.labels, order.map(|row| row as u16 % 3), "{seed}");
        assert_eq!(test, plain, "the order of a test set is that of its file");
    }
    assert!(refused(&table, "label_column = 1\nshuffle = -1").contains("job.toml:6: invalid value: integer `-1`"));
    assert!(refused(&table, "label_column = 1\nshuffle = true").contains("invalid type: boolean `true`"));
}

const ORDERS: [(u64, [i16; 12]); 2] =
    [(7, [2, 7, 1, 4, 8, 11, 0, 6, 3, 9, 5, 10]), (0, [3, 10, 7, 11, 4, 8, 5, 2, 1, 0, 6, 9])];

#[test]
fn delimiters_are_one_character() {
    let table = "x;class\n0.5;1\n";
    assert_eq!(train(table, &format!("{BY_CLASS}delimiter = \";\"")).inputs, [128]);
    assert_eq!(train("x\tclass\n0.5\t1\n", &format!("{BY_CLASS}delimiter = \"\\t\"")).inputs, [128]);
    for wrong in ["", ";;", "é", "a", "1", ".", "-", "\\\"", "\\n"] {
        let error = refused(table, &format!("{BY_CLASS}delimiter = \"{wrong}\""));
        assert!(error.contains("expected one ASCII character that stands in no number"), "{error}");
        assert!(error.starts_with("job.toml:6: data.delimiter is "), "{error}");
    }
    let error = refused(table, BY_CLASS);
    assert!(error.ends_with("which starts with [\"x;class\"]; data.delimiter = \";\" would part this line"), "{error}");
    let error = refused(table, "label_column = 1\nheader = true");
    assert!(error.ends_with("; data.delimiter = \";\" would part this line"), "{error}");
}

#[test]
fn all_of_them_together() {
    let table = "id;x;class\na;1;yes\nb;2;no\nc;NA;no\n";
    let keys =
        "label_column = \"class\"\ndelimiter = \";\"\nclasses = [\"no\", \"yes\"]\nstandardise = true\nshuffle = 3";
    let error = refused(table, &format!("{keys}\ncolumns = {{ except = [\"id\"] }}"));
    assert!(
        error.starts_with("train.csv, line 4: column 1 (\"x\") is \"NA\", expected a number; it is missing"),
        "{error}"
    );
    let set = train(&table.replace("NA", "3"), &format!("{keys}\ncolumns = [\"x\"]"));
    let mut rows: Vec<(i16, u16)> = set.inputs.iter().copied().zip(set.labels.iter().copied()).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(-314, 1), (0, 0), (314, 0)]);
}

/// A test set is one of the same columns, label included, and of as many classes.
#[test]
fn a_test_set_belongs_to_its_training_set() {
    let of = |train: &str, test: &str, keys: &str| sets(train, test, keys).map(|_| ()).unwrap_err();
    let by_index = "label_column = 2\nheader = true";
    let error = of("a,b,y\n1,2,0\n", "a,b,month\n1,2,0\n", by_index);
    assert!(
        error.contains("test.csv, line 1: the header is \"month\", expected \"y\" as the label's column"),
        "{error}"
    );
    let error = of("1,2,0\n", "1,2,0,5\n", "label_column = 2\ncolumns = [0, 1]");
    assert!(error.contains("the number of columns is 4, expected 3, as in the training set"), "{error}");
    let error = of("1,2,0\n", "1,0\n", "label_column = -1");
    assert!(error.contains("label_column"), "{error}");
    let set = train("1,2,b\n3,4,a\n", "label_column = 2\nclasses = [\"a\", \"b\", \"c\"]");
    assert_eq!((set.classes, set.labels), (3, vec![1, 0]));
    let error = refused("1,2,b\n", "label_column = 2\nclasses = [\"b \"]");
    assert!(error.contains("expected a label without blanks around it"), "{error}");
    let error = refused("1,2,b\n", "label_column = \"2\"");
    assert!(error.contains("expected an index, which is a number without quotes"), "{error}");
}
