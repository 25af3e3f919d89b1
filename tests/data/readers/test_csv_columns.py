import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

BOX = [0.25, 0.1, 0.75, 0.3]  # 10 20 30 60 in 100 × 80
AUTOML = "gs://bucket/some/a.jpg,dog,0.1,0.25,,,0.3,0.75,,"


def write(folder, text, encoding="utf-8", name="boxes.csv"):
    for picture in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(folder / picture)
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


DIALECTS = {
    "TF Object Detection API": (
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,100,80,dog,10,20,30,60\n"
    ),
    "the same without a header": "a.jpg,100,80,dog,10,20,30,60\n",
    "RetinaNet": "a.jpg,10,20,30,60,dog\n",
    "label second": "a.jpg,dog,10,20,30,60\n",
    "VoTT": '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",10.0,20,30,60,"dog"\n',
    "semicolons, decimal commas": "image;x1;y1;x2;y2;label\na.jpg;10,0;20,0;30,0;60,0;dog\n",
    "tabs": "image\txmin\tymin\txmax\tymax\tlabel\na.jpg\t10\t20\t30\t60\tdog\n",
    "pandas' index": ",image,xmin,ymin,xmax,ymax,label\n0,a.jpg,10,20,30,60,dog\n",
    "spelled otherwise": "Image Path,X Min,Y-Min,X_Max,YMAX,Class Name\na.jpg,10,20,30,60,dog\n",
    "order of OpenImages": "image_id,label,XMin,XMax,YMin,YMax\na,dog,10,30,20,60\n",
    "a name and a path": "filename,path,class,x1,y1,x2,y2\nwrong.jpg,x/a.jpg,dog,10,20,30,60\n",
    "a name and an image": "image,path,class,x1,y1,x2,y2\nwrong.jpg,x/a.jpg,dog,10,20,30,60\n",
    "the image is called name": "name,class,x1,y1,x2,y2\na.jpg,dog,10,20,30,60\n",
    "fractions": "image,xmin,ymin,xmax,ymax,label\na.jpg,.1,.25,.3,.75,dog\n",
    "AutoML": f"TRAIN,{AUTOML}\n",
    "AutoML without a set": f"{AUTOML}\n",
    "AutoML, four corners": "UNASSIGNED,gs://b/a.jpg,dog,.1,.25,.3,.25,.3,.75,.1,.75\n",
    "swapped": "a.jpg,30,60,10,20,dog\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_dialects(tmp_path, dialect, encoding):
    dataset = read_csv(write(tmp_path, DIALECTS[dialect].replace("dog", "pêche"), encoding))
    (record,) = dataset.records
    assert dataset.class_names == ("pêche",)
    np.testing.assert_allclose(record.boxes, [BOX], atol=1e-6)
    assert record.image == str(tmp_path / "a.jpg")
    assert (record.width, record.height) == (100, 80)


def test_openimages(tmp_path):
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsGroupOf"
    rows = ["a,xclick,/m/0bt9lr,1,0.1,0.3,0.25,0.75,0,0", "a,xclick,/m/01yrx,1,0,1,0,1,0,1"]
    path = write(tmp_path, "\n".join([header, *rows]))
    (tmp_path / "class-descriptions-boxable.csv").write_text("/m/0bt9lr,Dog\n/m/01yrx,Cat\n")
    for spec in (path, tmp_path):
        dataset = read_csv(spec)
        assert dataset.class_names == ("Cat", "Dog")
        assert dataset.records[0].labels.tolist() == [1, 0]
        assert dataset.records[0].ignore.tolist() == [False, True]
        assert dataset.counts == {"boxes ignored (group)": 1}


SET = ("1", "1.0", "True", "true", "TRUE")
UNSET = ("0", "0.0", "-1", "False", "", "nan")


@pytest.mark.parametrize(
    ("flag", "group"), [*((flag, True) for flag in SET), *((flag, False) for flag in UNSET)]
)
def test_flags_as_pandas_writes_them(tmp_path, flag, group):
    text = f"ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na,dog,0.1,0.3,0.25,0.75,{flag}\n"
    (record,) = read_csv(write(tmp_path, text)).records
    assert record.ignore.tolist() == [group]


def test_fractions_need_no_size(tmp_path):
    text = f"TRAIN,{AUTOML}\nTEST,gs://bucket/c.jpg,dog,0,0,,,1,1,,\n"
    dataset = read_csv(write(tmp_path, text))
    assert [record.image_sets for record in dataset.records] == [("train",), ("test",)]
    assert dataset.records[1].image is None
    assert len(read_csv(tmp_path / "boxes.csv", split="test")) == 1


def test_one_corner_beyond_the_picture_does_not_make_fractions_pixels(tmp_path):
    rows = [f"a.jpg,.1,.2,.{i}5,.9,dog" for i in range(2, 9)] + ["b.jpg,.1,.2,1.02,.9,dog"]
    dataset = read_csv(write(tmp_path, "\n".join(rows)))
    np.testing.assert_allclose(dataset.records[1].boxes, [[0.2, 0.1, 0.9, 1]], atol=1e-6)
    assert "clipped: 1" in dataset.notes[-1]


def test_pixels_and_fractions_in_one_file_are_refused(tmp_path):
    rows = ["a.jpg,.1,.2,.3,.9,dog", "b.jpg,10,20,30,60,dog"] * 5
    with pytest.raises(InputError, match="5 of 10 boxes look like fractions"):
        read_csv(write(tmp_path, "\n".join(rows)))


def test_a_file_for_each_image_set(tmp_path):
    text = "a.jpg,10,20,30,60,dog\n"
    write(tmp_path, text, name="train_labels.csv")
    write(tmp_path, text, name="test_labels.csv")
    dataset = read_csv(tmp_path)
    assert [r.image_id for r in dataset.records] == ["test_labels/a.jpg", "train_labels/a.jpg"]
    assert len(read_csv(tmp_path, split="train")) == 1
    write(tmp_path, text, name="more.csv")
    with pytest.raises(InputError, match=r"several CSV files: more\.csv"):
        read_csv(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TRAIN,gs://b/a.jpg,dog,0.1,,,,0.3,0.75,,\n", "csv:1: the box is incomplete"),
        ("TRAIN,,dog,0.1,0.2,,,0.3,0.75,,\n", "csv:1: no image is named"),
        ("TRAIN,a.jpg,dog,x,0.2,,,0.3,0.75,,\n", "csv:1: 'x' is not a finite number"),
        ("xmin,ymin,xmax,ymax\n1,2,3,4\n", "csv:1: the header must name once: image, label"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_csv(write(tmp_path, text))


def test_files_that_were_joined_with_their_headers(tmp_path):
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,200,100,dog,40,30,80,70\n"
    path = tmp_path / "all.csv"
    path.write_text(text + text.replace("a.jpg", "b.jpg") + text.replace("a.jpg", "c.jpg"))
    dataset = read_csv(path)
    assert [record.image_id for record in dataset.records] == ["a.jpg", "b.jpg", "c.jpg"]
    assert dataset.notes.count("lines that are the header again are passed over") == 1


@pytest.mark.parametrize("place", ["annotations", "labels", "data"])
def test_tables_in_a_folder_beside_that_of_the_pictures(tmp_path, place):
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    (tmp_path / place).mkdir()
    for name in ("train", "test"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.new("RGB", (200, 100)).save(tmp_path / "images" / name / "a.jpg")
        table = tmp_path / place / f"{name}_labels.csv"
        table.write_text(f"{header}a.jpg,200,100,dog,40,30,80,70\n")
    for folder in (tmp_path, tmp_path / place):
        images = [record.image for record in open_dataset(folder).records]
        assert images == [str(tmp_path / "images" / name / "a.jpg") for name in ("test", "train")]
    (tmp_path / "images" / "train" / "a.txt").write_text("0 .5 .5 .2 .2\n")
    assert open_dataset(tmp_path).class_names == ("0",)  # YOLO's, and a copy of it as tables
