package yolov2tf.demo;

import android.app.Application;

/** Has what all screens share. */
public class DemoApplication extends Application {
    /** Runs the networks. */
    NetworkRuntime runtime() {
        return new TensorFlowLite();
    }
}
